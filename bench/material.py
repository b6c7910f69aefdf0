"""What a load consumes, in the files that wrk's scripts read; made through the servers' own endpoints."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlencode

from authserver.protocol import credential

from .approvals import SCOPES
from .contestant import BenchError, Code, Contestant
from .http import Caller

PUBLIC_CLIENT = {
    "client_name": "Bench client",
    "redirect_uris": ["http://127.0.0.1:33418/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}


WEB_REDIRECT = "https://app.example/callback"
VERIFIER = "a-verifier-that-every-flow-of-a-load-has-in-common"
CHALLENGE = credential.base64url(hashlib.sha256(VERIFIER.encode()).digest())


def register(contestant: Contestant, count: int, **more: object) -> list[str]:
    """Register *count* public clients and return their ids; *more* of what they say of themselves."""
    with Caller(contestant.origin) as caller:
        return [caller.post_json("/register", {**PUBLIC_CLIENT, **more})["client_id"] for _ in range(count)]


def asking(client_id: str, resource: str) -> str:
    """The query by which a client asks for all scopes, and to be answered at its own site."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": WEB_REDIRECT,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "scope": " ".join(SCOPES),
        "resource": resource,
        "state": "of-the-client",
    }
    return urlencode(query)


def exchange(client_id: str, resource: str) -> str:
    """What the form that redeems such a code has after the code."""
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "redirect_uri": WEB_REDIRECT,
        "code_verifier": VERIFIER,
        "resource": resource,
    }
    return "&" + urlencode(form)


def redemption(code: Code) -> str:
    """The form that redeems *code*."""
    form = {
        "grant_type": "authorization_code",
        "code": code.code,
        "client_id": code.client_id,
        "redirect_uri": code.redirect_uri,
        "code_verifier": code.verifier,
        "resource": code.resource,
    }
    return urlencode(form)


def chains(contestant: Contestant, codes: Iterable[Code]) -> list[str]:
    """A refresh token for each of *codes*, tab, and the rest of the form that presents it."""
    with Caller(contestant.origin) as caller:
        return [f"{_redeemed(caller, code)['refresh_token']}\t{_rest(code)}" for code in codes]


def tokens(contestant: Contestant, codes: Iterable[Code]) -> list[str]:
    """An access token for each of *codes*."""
    with Caller(contestant.origin) as caller:
        return [_redeemed(caller, code)["access_token"] for code in codes]


def access_tokens(contestant: Contestant, codes: Iterable[Code]) -> list[str]:
    """Forms that introspect an access token for each of *codes*."""
    return [urlencode({"token": token}) for token in tokens(contestant, codes)]


def expect_active(contestant: Contestant, forms: Iterable[str], authorization: str) -> None:
    """Introspect by all *forms*. Raises `BenchError` if a token is not active: the load looks at statuses alone."""
    with Caller(contestant.origin) as caller:
        for form in forms:
            if (found := caller.post_form("/introspect", form, authorization)).get("active") is not True:
                raise BenchError(f"a token of {contestant.name} is not active: {found}")


def write(file: Path, lines: Sequence[str]) -> str:
    """Write *lines* and return the absolute path of *file*."""
    file.write_text("".join(f"{line}\n" for line in lines))
    return str(file.absolute())


def _redeemed(caller: Caller, code: Code) -> dict[str, str]:
    found: dict[str, str] = caller.post_form("/token", redemption(code))
    return found


def _rest(code: Code) -> str:
    return "&" + urlencode({"grant_type": "refresh_token", "client_id": code.client_id, "resource": code.resource})
