"""The calls that are measured, each with the load that makes it."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import material
from .contestant import Contestant
from .generator import CONNECTIONS, Load
from .http import FORM

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
    def prepare(cls, contestant: Contestant, folder: Path) -> "Bench":
        """Register the clients of *contestant*."""
        folder.mkdir()
        return cls(contestant, material.register(contestant, CLIENTS), folder)

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
    tokens = bench.write("tokens", material.access_tokens(bench.contestant, codes))
    asking = bench.contestant.introspector()
    basic = b64encode(f"{asking.client_id}:{asking.client_secret}".encode()).decode()
    return Load("again.lua", ("/introspect", FORM, tokens, f"Basic {basic}"))


MEASURES = (
    Measure("metadata", "server metadata (RFC 8414)", _metadata),
    Measure("jwks", "JWKS", _jwks),
    Measure("registration", "registration (RFC 7591)", _registration),
    Measure("code", "code → tokens", _code),
    Measure("refresh", "refresh with rotation", _refresh),
    Measure("introspection", "introspection (RFC 7662)", _introspection),
)
