"""A guard with its own identity at a real server: it introspects opaque tokens, and publishes its server's tools."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from authserver.protocol.audit import Event
from authserver.protocol.resource import Resource, Source
from demo.notes import create_server
from mcp_token_guard import Guard, TokenRefused
from tests.database import Databases

from .minting import Mint, Minted
from .stage import Stage, stage

pytestmark = pytest.mark.requirement("RS-11")
BELIEVED = 2.0  # seconds
PATIENCE = 30  # seconds, on a busy machine
EVENT = Event("grant.revoked", "admin:test")


@pytest.fixture(scope="module")
def opaque(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, Mint, Guard]]:
    """A deployment whose MCP server gets opaque tokens, and a guard with its own key."""
    url, home = databases.create(), tmp_path_factory.mktemp("opaque")
    key = home / "guard.jwk"
    with stage(home, url) as running:
        running.authserver("resource", "edit", running.resource, "--token-format", "opaque")
        running.authserver("resource", "credentials", running.resource, "--guard-key", str(key))
        minting = Mint(running, url)
        guard = Guard(
            running.resource,
            issuer=running.issuer,
            scopes=["notes:read"],
            identity=key,
            introspection_seconds=BELIEVED,
        )
        yield running, minting, guard
        minting.stores.database.close()
    databases.drop(url)


def _by_grant(running: Stage, mint: Mint, minted: Minted) -> None:
    assert mint.stores.grants.revoke(minted.grant_id, EVENT)


def _by_itself(running: Stage, mint: Mint, minted: Minted) -> None:
    form = {"token": minted.access_token, "client_id": minted.client_id}
    assert httpx2.post(f"{running.issuer}/revoke", data=form).status_code == 200


def _by_command(running: Stage, mint: Mint, minted: Minted) -> None:
    running.at_once("client", "suspend", minted.client_id)


def seconds_let_in(guard: Guard, token: str) -> float:
    """Go on verifying *token* until it is refused; when the last time before began, however late that was answered."""
    since, last = time.monotonic(), 0.0
    while (began := time.monotonic() - since) < PATIENCE:
        try:
            guard.verify_now(token)
        except TokenRefused:
            return last
        last = began
    raise AssertionError("still let in")


@pytest.mark.requirement("TK-2")
@pytest.mark.parametrize("end", [_by_grant, _by_itself, _by_command])
def test_what_ended_is_refused_within_the_seconds_that_an_answer_is_believed(
    opaque: tuple[Stage, Mint, Guard], end: Callable[[Stage, Mint, Minted], None], tmp_path: Path
) -> None:
    running, minting, guard = opaque
    minted, other = minting.token(), minting.token()
    assert minted.access_token.startswith("mcpa_")
    for token in (minted.access_token, other.access_token):
        assert guard.verify_now(token).may("notes:read")
    end(running, minting, minted)
    assert seconds_let_in(guard, minted.access_token) < BELIEVED + 0.5
    assert guard.verify_now(other.access_token)


@pytest.mark.requirement("TK-2")
def test_a_guard_without_identity_refuses_them_and_goes_on_with_jwts(opaque: tuple[Stage, Mint, Guard]) -> None:
    running, minting, guard = opaque
    sealed = minting.token().access_token
    running.authserver("resource", "edit", running.resource, "--token-format", "jwt")
    try:
        signed = minting.token().access_token
        asking = Guard(running.resource, issuer=running.issuer, scopes=["notes:read"])
        assert signed.count(".") == 2
        for judge in (guard, asking):
            assert judge.verify_now(signed)
        assert guard.verify_now(sealed)
        with pytest.raises(TokenRefused):
            asking.verify_now(sealed)
    finally:
        running.authserver("resource", "edit", running.resource, "--token-format", "opaque")


def test_what_the_guard_publishes_is_what_the_server_lists(opaque: tuple[Stage, Mint, Guard]) -> None:
    running, minting, guard = opaque
    with ThreadPoolExecutor(1) as apart:  # a browser of other journeys keeps an event loop in this thread
        tools = apart.submit(lambda: asyncio.run(create_server().list_tools())).result()
    guard.publish_tools(tools)
    since = time.monotonic()
    while (heard := _notes(minting, running).heard) is None:
        assert time.monotonic() - since < PATIENCE, "nothing was published"
        minting.stores.resources.refresh()
    assert heard.source is Source.GUARD
    # By either way it is the same, to the digest: nothing differs when the server itself is asked.
    assert "no difference" in running.authserver("resource", "diff", running.resource)


def _notes(minting: Mint, running: Stage) -> Resource:
    return next(one for one in minting.stores.resources.all() if one.identifier == running.resource)
