"""Where the issuer says what counts no more: at its own URLs alone, whatever tokens or metadata name (TK-10)."""

import re
from base64 import urlsafe_b64encode
from hashlib import sha256

from .refusals import IssuerUnavailable

TAG_CHARACTERS = 22
PATH = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)+")
MOST_PATH = 512


class StatusUrls:
    """The URLs of one issuer, for the tokens of one resource."""

    def __init__(self, issuer: str, resource: str) -> None:
        self._base = issuer.removesuffix("/")
        self._tag = urlsafe_b64encode(sha256(resource.encode()).digest()).decode()[:TAG_CHARACTERS]

    def are_own(self, url: str) -> bool:
        """Whether *url* is one of the issuer's, and a plain one."""
        path = url.removeprefix(self._base)
        return url.startswith(self._base) and len(path) <= MOST_PATH and PATH.fullmatch(path) is not None

    def of(self, template: str) -> str:
        """What *template*, of the issuer's metadata, gives for the resource. Raises `IssuerUnavailable`."""
        url = template.replace("{resource}", self._tag)
        if not self.are_own(url):
            raise IssuerUnavailable("the authorization server's lists of revoked tokens are somewhere else")
        return url
