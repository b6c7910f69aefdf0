"""Somebody leaves the company and is disabled, in the console, by the API or by command: everything of theirs ends."""

from collections.abc import Iterator
from dataclasses import replace

import httpx2
import pytest
from playwright.sync_api import Browser, expect

from authserver.protocol.role import Role

from .client import Client
from .conftest import ClientOf
from .person import Person
from .stage import Stage
from .test_revocation import WITHIN, seconds_let_in, status
from .test_second_server import second_server
from .test_whole_dance import introspected
from .ways import WAYS, Way, account

__all__ = ["second_server"]


@pytest.fixture
def leaver(browser: Browser, running: Stage) -> Iterator[Person]:
    """Somebody of the test's own, at a browser not used before."""
    found = Person(browser, running, account(running, Role.MEMBER, "Lea Ver"))
    yield found
    found.context.close()


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, running: Stage, browser: Browser) -> Iterator[Way]:
    found = WAYS[request.param](running, browser)
    yield found
    found.close()


@pytest.mark.requirement("TK-6", "TK-10")
def test_whoever_leaves_is_out_everywhere_within_three_seconds(
    running: Stage, second_server: str, client_of: ClientOf, leaver: Person, way: Way
) -> None:
    running.authserver("resource", "add", second_server, "--name", "Second", "--scope", "notes:read=Read")
    stages = running, replace(running, resource=second_server)
    clients: list[Client] = [client_of("python", f"at-{at}", stage.resource) for at, stage in enumerate(stages)]
    for client in clients:
        client.do("connect", decide=leaver.allow)
        client.do("call", tool="list_notes", arguments={})
    held = [client.tokens["access_token"] for client in clients]
    with httpx2.Client() as http:
        for stage, token in zip(stages, held, strict=True):
            assert status(http, stage, token) not in (401, 503)

    way.disable(leaver.account.username)
    for stage, token in zip(stages, held, strict=True):  # the second has had as long as the first, at least
        assert seconds_let_in(stage, token) < WITHIN
    first = clients[0]
    assert introspected(running, first.tokens["access_token"]) == {"active": False}
    form = {
        "grant_type": "refresh_token", "refresh_token": first.tokens["refresh_token"], "client_id": first.client_id,
    }  # fmt: skip
    assert httpx2.post(f"{running.issuer}/token", data=form).json()["error"] == "invalid_grant"
    leaver.open(f"{running.issuer}/account/connections")
    expect(leaver.page.get_by_role("alert")).to_have_text("That name and password do not go together.")
