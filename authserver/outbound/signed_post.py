"""Posts that prove where they come from, as Standard Webhooks has it (https://www.standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac
import time
from dataclasses import dataclass

from .post import EnteredPost
from .refusal import FetchRefused, Refusal

STANDARD_SECRET = "whsec_"  # noqa: S105 - the prefix of Standard Webhooks' secrets, not one


@dataclass(frozen=True, slots=True)
class SignedPost:
    """Posts JSON the way *way*, signed with *secret*: HMAC-SHA256 of id, time and body."""

    way: EnteredPost
    secret: str

    def post(self, identifier: str, body: bytes) -> None:
        """Have *body* taken; *identifier* is the same whenever the same is sent again. Raises `FetchRefused`."""
        at = str(int(time.time()))
        headers = [
            ("Content-Type", "application/json"),
            ("webhook-id", identifier),
            ("webhook-timestamp", at),
            ("webhook-signature", signature(self.secret, identifier, at, body)),
        ]
        try:
            self.way.post(body, headers)
        except FetchRefused as refused:
            if refused.reason is not Refusal.ADDRESS:
                raise
            raise FetchRefused(refused.reason, f"{refused} (see fetch_entered_networks)") from None

    def __repr__(self) -> str:
        """Without the secret."""
        return "SignedPost()"


def signature(secret: str, identifier: str, at: str, body: bytes) -> str:
    """The value of ``webhook-signature``. A *secret* that begins with ``whsec_`` is base64 after that."""
    signed = f"{identifier}.{at}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(secret_bytes(secret), signed, hashlib.sha256)).decode()}"


def secret_bytes(secret: str) -> bytes:
    """The key that *secret* stands for."""
    if secret.startswith(STANDARD_SECRET):
        try:
            return base64.b64decode(secret.removeprefix(STANDARD_SECRET), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
