"""Acceptance: single use, lost answers and keys hold across nodes, straight over PostgreSQL and through PgBouncer."""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from typing import Any

import httpx2
import jwt
import pytest
from sqlalchemy import select

from authserver.store.database import Database
from authserver.store.engine import create
from authserver.store.models import RefreshTokenRow
from tests.conformance.site import NOTES
from tests.database import Databases
from tests.pooler import pgbouncer
from tests.store.scene import heads
from tests.trail.mixed_load import REDIRECT_URI, Answered, Browser, connect, obtain_code

from .cluster import Cluster, cluster

CROWD = 12
DANCES = 4
PATIENCE = 60  # seconds


@pytest.fixture(scope="module", params=["straight", "through PgBouncer"])
def running(
    request: pytest.FixtureRequest,
    databases: Databases,
    tmp_path_factory: pytest.TempPathFactory,
    _on_postgresql: None,
) -> Iterator[tuple[Cluster, Database]]:
    """The cluster, and a way of the test's own to its database."""
    url, folder = databases.create(), tmp_path_factory.mktemp("cluster")
    settings = {"AUTHSERVER_LISTEN_URL": url, "AUTHSERVER_NEXT_KEY_LEAD": "1"}
    way = nullcontext(url) if request.param == "straight" else pgbouncer(url)
    with way as nodes_url, cluster(folder, url, nodes_url, **settings) as found:
        database = Database(create(url))
        yield found, database
        database.close()
    databases.drop(url)


@dataclass
class Connected:
    """A client that ada has allowed, with an unspent ``code``, at all nodes of a cluster."""

    nodes: Cluster
    client_id: str
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    code: str = ""

    def ask(self, number: int, grant_type: str, **form: str) -> Any:
        """A token request, to either node in turn."""
        asked = {"client_id": self.client_id, "resource": NOTES.identifier, "grant_type": grant_type, **form}
        return httpx2.post(f"{self.nodes.nodes[number % 2]}/token", data=asked, timeout=PATIENCE)

    def redeem(self, number: int) -> Any:
        form = {"code": self.code, "code_verifier": self.verifier, "redirect_uri": REDIRECT_URI}
        return self.ask(number, "authorization_code", **form)

    def refresh(self, number: int, token: str) -> Any:
        return self.ask(number, "refresh_token", refresh_token=token)


@pytest.fixture
def connected(running: tuple[Cluster, Database]) -> Connected:
    nodes, _ = running
    ada = Browser(nodes.issuer, "ada")
    asked = {"client_name": "Editor", "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
    asked |= {"grant_types": ["authorization_code", "refresh_token"]}
    found = Connected(nodes, httpx2.post(f"{nodes.issuer}/register", json=asked).json()["client_id"])
    with closing(ada.http):
        found.code = obtain_code(ada, found.client_id, found.verifier)
    return found


def at_once(deed: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(CROWD) as threads:
        return list(threads.map(deed, range(CROWD)))


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline


def test_the_whole_dance_goes_over_either_node_in_turn(running: tuple[Cluster, Database]):
    nodes, database = running
    answered = Answered()
    for _ in range(DANCES):
        ada = Browser(nodes.issuer, "ada")
        with closing(ada.http):
            connect(ada, answered)
    given = set(answered.refresh_tokens)
    with database.reading() as connection:
        assert given <= set(connection.scalars(select(RefreshTokenRow.digest)))
    assert len(given & set(heads(database))) == DANCES


@pytest.mark.requirement("AZ-7")
def test_of_all_who_redeem_a_code_at_both_nodes_one_wins(connected: Connected):
    answers = at_once(connected.redeem)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: CROWD - 1}
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {"invalid_grant"}
    assert connected.refresh(0, won["refresh_token"]).status_code == 200


@pytest.mark.requirement("TK-4")
def test_all_who_present_a_refresh_token_at_both_nodes_get_its_one_successor(connected: Connected):
    token = connected.redeem(0).json()["refresh_token"]
    answers = [answer.json() for answer in at_once(lambda number: connected.refresh(number, token))]
    successors = {answer["refresh_token"] for answer in answers}
    assert len(successors) == 1
    assert len({answer["access_token"] for answer in answers}) == CROWD
    assert connected.refresh(1, successors.pop()).status_code == 200


def published(node: str) -> dict[str, jwt.PyJWK]:
    """The keys that *node* publishes for tokens, by name."""
    found = httpx2.get(f"{node}/jwks").json()["keys"]
    return {key["kid"]: jwt.PyJWK(key) for key in found if "purpose" not in key}


def named(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


@pytest.mark.requirement("TK-12", "DI-5")
def test_while_keys_rotate_each_token_is_verified_by_what_the_other_node_publishes(connected: Connected):
    token = connected.redeem(0).json()
    old = named(token["access_token"])
    connected.nodes.authserver("keys", "rotate")
    seen: dict[int, str] = {}
    for number in range(1000):
        answer = connected.refresh(number, token["refresh_token"])
        assert answer.status_code == 200  # no request fails
        token = answer.json()
        seen[number % 2] = named(token["access_token"])
        key = published(connected.nodes.nodes[(number + 1) % 2])[seen[number % 2]]
        jwt.decode(token["access_token"], key, algorithms=["ES256"], audience=NOTES.identifier)
        if len(seen) == 2 and old not in seen.values():
            break
    assert set(seen) == {0, 1}
    assert len(set(seen.values()) - {old}) == 1


@pytest.mark.requirement("TK-12", "DI-5")
def test_after_an_emergency_no_node_publishes_what_signed_before_and_all_sign_anew(connected: Connected):
    token = connected.redeem(0).json()
    before = set(published(connected.nodes.nodes[0]))
    assert named(token["access_token"]) in before
    connected.nodes.authserver("keys", "rotate", "--emergency")
    until(lambda: all(before.isdisjoint(published(node)) for node in connected.nodes.nodes))
    for number in (0, 1):
        token = connected.refresh(number, token["refresh_token"]).json()
        key = published(connected.nodes.nodes[1 - number])[named(token["access_token"])]
        jwt.decode(token["access_token"], key, algorithms=["ES256"], audience=NOTES.identifier)


@pytest.mark.requirement("TK-8")
def test_what_is_suspended_at_one_node_gets_nothing_at_either(connected: Connected):
    token = connected.redeem(0).json()["refresh_token"]
    connected.nodes.authserver("client", "suspend", connected.client_id)
    until(lambda: 200 not in {connected.refresh(number, token).status_code for number in (0, 1)})
