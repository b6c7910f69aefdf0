"""Revocation between real processes: the next calls are refused, though the JWT has minutes left."""

import time
from collections.abc import Callable, Iterator

import httpx2
import pytest

from authserver.protocol.audit import Event
from tests.database import Databases

from .minting import Mint, Minted
from .stage import Stage, stage

WITHIN = 3.0  # seconds
PATIENCE = 30  # seconds, on a busy machine
EVENT = Event("grant.revoked", "admin:test")
BODY = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def mint(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, Mint]]:
    """A deployment of these tests' own: an emergency is everybody's."""
    url = databases.create()
    with stage(tmp_path_factory.mktemp("revocation"), url) as running:
        minting = Mint(running, url)
        yield running, minting
        minting.stores.database.close()
    databases.drop(url)


def status(http: httpx2.Client, running: Stage, token: str) -> int:
    headers = {**ACCEPT, "Authorization": f"Bearer {token}"}
    return http.post(running.resource, json=BODY, headers=headers).status_code


def seconds_let_in(running: Stage, token: str) -> float:
    """Go on calling with *token*, as a client would, until it is refused, for good; when the last call before began.

    A busy machine answers late: what counts is when a call began.
    """
    since, last = time.monotonic(), 0.0
    with httpx2.Client(timeout=PATIENCE) as http:
        while (began := time.monotonic() - since) < PATIENCE and status(http, running, token) != 401:
            last = began
        for _ in range(20):
            assert status(http, running, token) == 401
    return last


def _by_grant(running: Stage, mint: Mint, minted: Minted) -> None:
    assert mint.stores.grants.revoke(minted.grant_id, EVENT)


def _by_refresh_token(running: Stage, mint: Mint, minted: Minted) -> None:
    form = {"token": minted.refresh_token, "client_id": minted.client_id}
    assert httpx2.post(f"{running.issuer}/revoke", data=form).status_code == 200


def _by_itself(running: Stage, mint: Mint, minted: Minted) -> None:
    form = {"token": minted.access_token, "client_id": minted.client_id}
    assert httpx2.post(f"{running.issuer}/revoke", data=form).status_code == 200


def _by_command(running: Stage, mint: Mint, minted: Minted) -> None:
    running.at_once("client", "suspend", minted.client_id)


@pytest.mark.requirement("TK-10")
@pytest.mark.parametrize("end", [_by_grant, _by_refresh_token, _by_itself, _by_command])
def test_the_next_calls_are_refused_within_three_seconds(
    mint: tuple[Stage, Mint], end: Callable[[Stage, Mint, Minted], None]
) -> None:
    running, minting = mint
    minted, other = minting.token(), minting.token()
    assert minted.claims["exp"] - time.time() > 120
    with httpx2.Client() as http:
        for token in (minted.access_token, other.access_token):
            assert status(http, running, token) not in (401, 503)
        end(running, minting, minted)
        assert seconds_let_in(running, minted.access_token) < WITHIN
        assert status(http, running, other.access_token) not in (401, 503)


def _by_allowing_less(running: Stage, name: str) -> None:
    running.at_once("client", "allow", name, running.resource, "notes:read")


def _by_allowing_nothing(running: Stage, name: str) -> None:
    running.at_once("client", "allow", name, running.resource, "--none")


def _by_removal(running: Stage, name: str) -> None:
    running.at_once("client", "remove", name)


@pytest.mark.requirement("TK-10", "EX-1")
@pytest.mark.parametrize("end", [_by_allowing_less, _by_allowing_nothing, _by_removal])
def test_what_a_client_has_for_itself_is_refused_within_three_seconds_too(
    mint: tuple[Stage, Mint], end: Callable[[Stage, str], None]
) -> None:
    running, _ = mint
    allowed = f"{running.resource}=notes:read notes:write"
    said = running.authserver("client", "add", "Job", "--auth-method", "client_secret_post", "--allow", allowed)
    made = dict(line.split(": ") for line in said.splitlines())
    form = {name: made[name] for name in ("client_id", "client_secret")}
    answer = httpx2.post(f"{running.issuer}/token", data={"grant_type": "client_credentials", **form}).json()
    with httpx2.Client() as http:
        assert status(http, running, answer["access_token"]) not in (401, 503)
    end(running, made["client_id"])
    assert seconds_let_in(running, answer["access_token"]) < WITHIN


@pytest.mark.requirement("TK-12")
def test_after_an_emergency_rotation_a_forged_token_is_refused_within_three_seconds_and_clients_go_on(
    mint: tuple[Stage, Mint],
) -> None:
    running, minting = mint
    minted = minting.token()
    forged = minting.forged(minted)
    with httpx2.Client() as http:
        assert status(http, running, forged) not in (401, 503)
        assert "withdrew" in running.at_once("keys", "rotate", "--emergency")
        assert seconds_let_in(running, forged) < WITHIN
        assert status(http, running, minted.access_token) == 401
        assert status(http, running, minting.refreshed(minted)) not in (401, 503)
