"""Proof Key for Code Exchange (RFC 7636): S256 only, required of every client (AZ-1)."""

import hashlib

from authlib.oauth2.rfc7636.challenge import CODE_CHALLENGE_PATTERN, CODE_VERIFIER_PATTERN

from .credential import base64url
from .errors import InvalidRequest
from .trace.step import Cause

METHOD = "S256"
NO_CHALLENGE = "code_challenge must be the base64url SHA-256 of the code verifier"
NO_VERIFIER = "code_verifier must be 43 to 128 characters of A-Z a-z 0-9 - . _ ~"


def check_challenge(challenge: str | None, method: str | None) -> str:
    """The code challenge of an authorization request.

    Raises `InvalidRequest` if it is missing, malformed, or not S256: an absent method means ``plain``
    (RFC 7636 §4.3), which OAuth 2.1 §4.1.1 does not allow.
    """
    if not challenge:
        raise InvalidRequest("code_challenge is required (PKCE, RFC 7636)", cause=Cause.PKCE_MISSING)
    if method != METHOD:
        raise InvalidRequest("code_challenge_method must be S256", cause=Cause.PKCE_NOT_S256)
    if not CODE_CHALLENGE_PATTERN.fullmatch(challenge) or len(challenge) != 43:
        raise InvalidRequest(NO_CHALLENGE, cause=Cause.PKCE_MALFORMED)
    return challenge


def challenge_of(verifier: str | None) -> str:
    """The S256 challenge that *verifier* answers (RFC 7636 §4.6).

    Raises `InvalidRequest` unless the verifier has 43 to 128 unreserved characters (RFC 7636 §4.1).
    """
    if not verifier:
        raise InvalidRequest("code_verifier is required (PKCE, RFC 7636)", cause=Cause.VERIFIER_MALFORMED)
    if not CODE_VERIFIER_PATTERN.fullmatch(verifier):
        raise InvalidRequest(NO_VERIFIER, cause=Cause.VERIFIER_MALFORMED)
    return base64url(hashlib.sha256(verifier.encode("ascii")).digest())
