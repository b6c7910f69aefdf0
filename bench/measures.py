"""The calls that are measured, each with the load that makes it."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from . import material
from .approvals import SCOPES
from .contestant import Contestant
from .generator import CONNECTIONS, Load
from .http import FORM

RESOURCE = "http://localhost:9001/mcp"  # nobody calls it
CLIENTS = 64  # registrations behind codes and tokens: every installation of an MCP client has its own
CHAINS = 256  # refresh families in turn, far from each other's windows
TOKENS = 256  # access tokens asked about in turn


@dataclass(frozen=True, slots=True)
class Bench:
    """One contestant as the measures see it: its clients, and a folder of its own for their material."""

    contestant: Contestant
    client_ids: list[str]
    folder: Path

    @classmethod
    def prepare(cls, contestant: Contestant, folder: Path, **more: object) -> "Bench":
        """Register the clients of *contestant*; *more* of what they say of themselves."""
        folder.mkdir()
        return cls(contestant, material.register(contestant, CLIENTS, **more), folder)

    def write(self, name: str, lines: list[str]) -> str:
        """Put *lines* into a file and return its path."""
        return material.write(self.folder / name, lines)


@dataclass(frozen=True, slots=True)
class Measure:
    """One call. ``load`` makes fresh material for a run of at most so many calls; ``name`` is for the command line."""

    name: str
    title: str
    load: Callable[[Bench, int], Load]


def _metadata(_bench: Bench, _calls: int) -> Load:
    return Load("get.lua", ("/.well-known/oauth-authorization-server",))


def _jwks(_bench: Bench, _calls: int) -> Load:
    return Load("get.lua", ("/jwks",))


def _registration(bench: Bench, _calls: int) -> Load:
    bodies = bench.write("registration", [json.dumps(material.PUBLIC_CLIENT)])
    return Load("again.lua", ("/register", "application/json", bodies))


def _code(bench: Bench, calls: int) -> Load:
    codes = bench.contestant.codes(calls, bench.client_ids)
    return Load("once.lua", ("/token", bench.write("codes", [material.redemption(code) for code in codes])))


def _refresh(bench: Bench, _calls: int) -> Load:
    codes = bench.contestant.codes(CHAINS, bench.client_ids)
    chains = bench.write("chains", material.chains(bench.contestant, codes))
    return Load("refresh.lua", ("/token", chains), threads=CONNECTIONS)


def _introspection(bench: Bench, _calls: int) -> Load:
    codes = bench.contestant.codes(TOKENS, bench.client_ids, introspectable=True)
    forms = material.access_tokens(bench.contestant, codes)
    tokens = bench.write("tokens", forms)
    asking = bench.contestant.introspector()
    basic = b64encode(f"{asking.client_id}:{asking.client_secret}".encode()).decode()
    material.expect_active(bench.contestant, forms, f"Basic {basic}")
    return Load("again.lua", ("/introspect", FORM, tokens, f"Basic {basic}"))


def _client(bench: Bench, _calls: int) -> Load:
    machine = bench.contestant.machine()
    form = {
        "grant_type": "client_credentials",
        "client_id": machine.client_id,
        "client_secret": machine.client_secret,
        "resource": RESOURCE,
        "scope": SCOPES[0],
    }
    return Load("again.lua", ("/token", FORM, bench.write("client", [urlencode(form)])))


def _flow(bench: Bench, _calls: int) -> Load:
    (client_id,) = material.register(bench.contestant, 1, redirect_uris=[material.WEB_REDIRECT])
    cookies = bench.write("cookies", [one.cookie for one in bench.contestant.visitors(CONNECTIONS, client_id)])
    path, rest = f"/authorize?{material.asking(client_id, RESOURCE)}", material.exchange(client_id, RESOURCE)
    return Load("flow.lua", (path, cookies, "/token", rest), threads=CONNECTIONS)


def _revocation(bench: Bench, calls: int) -> Load:
    made = bench.contestant.refresh_tokens(calls, bench.client_ids)
    forms = [urlencode({"token": one.token, "client_id": one.client_id}) for one in made]
    return Load("once.lua", ("/revoke", bench.write("refresh-tokens", forms)))


MEASURES = (
    Measure("metadata", "server metadata (RFC 8414)", _metadata),
    Measure("jwks", "JWKS", _jwks),
    Measure("registration", "registration (RFC 7591)", _registration),
    Measure("client", "client_credentials", _client),
    Measure("flow", "authorize → code → tokens (two calls)", _flow),
    Measure("code", "code → tokens", _code),
    Measure("refresh", "refresh with rotation", _refresh),
    Measure("introspection", "introspection (RFC 7662)", _introspection),
    Measure("revoke", "revocation of a refresh token (RFC 7009)", _revocation),
)
