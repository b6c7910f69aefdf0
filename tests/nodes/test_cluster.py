"""Acceptance: single use, lost answers and keys hold across nodes, straight over PostgreSQL and through PgBouncer.

Each request comes on a connection of its own, so that it may reach either worker of its node.
"""

import secrets
import ssl
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
CALLERS = 4
FURTHER = 10  # refreshes of each caller, once it has seen no old key for as many
KNOWN_SECONDS = 1.0  # after which every worker asks whether anything has changed
DANCES = 4
PATIENCE = 60  # seconds
WITHOUT_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the system's certificates take long to read


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

    @classmethod
    def at(cls, nodes: Cluster) -> "Connected":
        """A new one."""
        ada = Browser(nodes.issuer, "ada")
        asked = {"client_name": "Editor", "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
        asked |= {"grant_types": ["authorization_code", "refresh_token"]}
        found = cls(nodes, httpx2.post(f"{nodes.issuer}/register", json=asked).json()["client_id"])
        with closing(ada.http):
            found.code = obtain_code(ada, found.client_id, found.verifier)
        return found

    def ask(self, number: int, grant_type: str, **form: str) -> Any:
        """A token request, to either node in turn."""
        asked = {"client_id": self.client_id, "resource": NOTES.identifier, "grant_type": grant_type, **form}
        return httpx2.post(f"{self.nodes.nodes[number % 2]}/token", data=asked, timeout=PATIENCE, verify=WITHOUT_TLS)

    def redeem(self, number: int) -> Any:
        form = {"code": self.code, "code_verifier": self.verifier, "redirect_uri": REDIRECT_URI}
        return self.ask(number, "authorization_code", **form)

    def refresh(self, number: int, token: str) -> Any:
        return self.ask(number, "refresh_token", refresh_token=token)


@pytest.fixture
def connected(running: tuple[Cluster, Database]) -> Connected:
    nodes, _ = running
    return Connected.at(nodes)


def at_once(deed: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(CROWD) as threads:
        return list(threads.map(deed, range(CROWD)))


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


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
    found = httpx2.get(f"{node}/jwks", timeout=PATIENCE, verify=WITHOUT_TLS).json()["keys"]
    return {key["kid"]: jwt.PyJWK(key) for key in found if "purpose" not in key}


def named(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def verify(nodes: Cluster, *tokens: str) -> None:
    """By what each of *nodes* publishes."""
    for node in nodes.nodes:
        keys = published(node)
        for token in tokens:
            jwt.decode(token, keys[named(token)], algorithms=["ES256"], audience=NOTES.identifier)


def go_on(caller: Connected, token: dict[str, Any], old: str) -> list[str]:
    """Refresh at either node in turn, until some answers past the *old* key's last; the access tokens."""
    given: list[str] = []
    for number in range(1000):
        answer = caller.refresh(number, token["refresh_token"])
        assert answer.status_code == 200  # no request fails
        token = answer.json()
        given.append(token["access_token"])
        verify(caller.nodes, given[-1])
        if len(given) > FURTHER and old not in map(named, given[-FURTHER:]):
            break
    return given


@pytest.mark.requirement("TK-12", "DI-5")
def test_while_keys_rotate_nobody_is_refused_and_each_token_is_verified_by_what_either_node_publishes(
    running: tuple[Cluster, Database],
):
    nodes, _ = running
    callers = [Connected.at(nodes) for _ in range(CALLERS)]
    tokens = [caller.redeem(number).json() for number, caller in enumerate(callers)]
    (old,) = {named(token["access_token"]) for token in tokens}
    with ThreadPoolExecutor(CALLERS) as threads:
        going = [threads.submit(go_on, caller, token, old) for caller, token in zip(callers, tokens, strict=True)]
        nodes.authserver("keys", "rotate")
        given = [token["access_token"] for token in tokens] + [token for one in going for token in one.result()]
    assert len({named(token) for token in given} - {old}) == 1
    verify(nodes, *given)


@pytest.mark.requirement("TK-12", "DI-5")
def test_after_an_emergency_no_node_publishes_what_signed_before_and_all_sign_anew(connected: Connected):
    token = connected.redeem(0).json()
    before = set(published(connected.nodes.nodes[0]))
    assert named(token["access_token"]) in before
    connected.nodes.authserver("keys", "rotate", "--emergency")
    known = time.monotonic() + KNOWN_SECONDS
    until(lambda: time.monotonic() > known)
    until(lambda: all(before.isdisjoint(published(node)) for node in connected.nodes.nodes))
    for number in (0, 1):
        token = connected.refresh(number, token["refresh_token"]).json()
        verify(connected.nodes, token["access_token"])


@pytest.mark.requirement("TK-8")
def test_what_is_suspended_at_one_node_gets_nothing_at_either(connected: Connected):
    token = connected.redeem(0).json()["refresh_token"]
    connected.nodes.authserver("client", "suspend", connected.client_id)
    until(lambda: 200 not in {answer.status_code for answer in at_once(lambda n: connected.refresh(n, token))})
