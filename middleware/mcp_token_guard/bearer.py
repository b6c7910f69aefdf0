"""The token of a request: from the ``Authorization`` header and from nowhere else (OAuth 2.1 §5.1)."""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

from .refusals import RequestMalformed, TokenMissing

TOKEN = re.compile(rb"[A-Za-z0-9\-._~+/]+=*")


def bearer_token(headers: Iterable[tuple[bytes, bytes]], query: bytes) -> str:
    """The bearer token; *headers* have lower-case names, as in ASGI.

    Raises `TokenMissing` when there is none (another scheme counts as none), and `RequestMalformed` when it is in the
    query, sent twice, or not of the grammar (RFC 6750 §2.1).
    """
    if _in_query(query):
        raise RequestMalformed("an access token goes in the Authorization header, not in the URL")
    sent = [value for header, value in headers if header == b"authorization"]
    if not sent:
        raise TokenMissing("an access token is required")
    if len(sent) > 1:
        raise RequestMalformed("the Authorization header was sent twice")
    scheme, _, token = sent[0].strip().partition(b" ")
    if scheme.lower() != b"bearer":
        raise TokenMissing("an access token is required")
    token = token.strip(b" ")
    if not TOKEN.fullmatch(token):
        raise RequestMalformed("the Authorization header holds no bearer token")
    return token.decode("ascii")


def _in_query(query: bytes) -> bool:
    if not query:
        return False
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    return any(name == "access_token" for name, _ in pairs)
