"""Acts that count twice when done twice: who repeats one under its ``Idempotency-Key`` gets what came of the first.

As draft-ietf-httpapi-idempotency-key-header-07 §2 says; kept for a day, sealed, for this client alone.
"""

import re
from collections.abc import Callable

from pydantic import BaseModel

from ...keys.sealing import SealError
from ...protocol import credential
from ..backchannel.request import Request
from .operation import Answer, AnyOperation, Call
from .problem import Problem

HEADER = "Idempotency-Key"
KEY = re.compile(r"[!-~]{1,255}")


def once(
    request: Request, operation: AnyOperation, call: Call[BaseModel, BaseModel], act: Callable[[], Answer | None]
) -> Answer | None:
    """What *act* gives, or what *operation* gave for the same *call* before, whatever has changed since by it.

    Raises `Problem`.
    """
    key = request.header(HEADER)
    if key is None:
        return act()
    if not KEY.fullmatch(key):
        raise Problem(400, f"{HEADER} is 1 to 255 visible ASCII characters")
    kept = call.deployment.stores.api_answers
    digest = credential.digest(f"{call.caller.client_id}\n{key}")
    fingerprint = credential.digest(f"{operation.method} {operation.path}\n{_said(call.query)}\n{_said(call.body)}")
    before = kept.begin(digest, fingerprint)
    if before is not None:
        if before.fingerprint != fingerprint:
            raise Problem(422, f"this {HEADER} came with another request: a key is for one request")
        return _again(before.answer, operation, call, _context(digest))
    try:
        found = act()
    except Exception:
        # Refused, or failed: nobody has an answer, so whoever repeats it is to get one.
        kept.forget(digest)
        raise
    kept.keep(digest, call.deployment.vault.seal(_said(found).encode() if found else b"", _context(digest)))
    return found


def _again(
    sealed: bytes | None, operation: AnyOperation, call: Call[BaseModel, BaseModel], context: str
) -> Answer | None:
    if sealed is None:
        raise Problem(409, "the first request with this key has not ended: ask again in a minute")
    try:
        said = call.deployment.vault.open(sealed, context)
    except SealError:
        raise Problem(409, "the answer of the first request cannot be read any more: look what it did") from None
    return operation.answer.model_validate_json(said) if operation.answer else None


def _context(digest: bytes) -> str:
    """What an answer is sealed for: one client and key, so that in no other row it is an answer."""
    return f"answer of the API to {digest.hex()}"


def _said(model: BaseModel) -> str:
    return model.model_dump_json()
