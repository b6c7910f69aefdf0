"""What one node changes, the other goes by one second later, at its very first call: looking once a second does that.

Nobody listens here. The other node is asked before the change too, after it was left alone for longer, so that it looks
then, and what it knows at the change is as young as it can be. A busy machine makes none of this slower: the node
counts the age of what it knows by its own clock.
"""

import secrets
import time
import zlib
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import httpx2
import jwt
import pytest

from authserver.protocol import own_api
from authserver.protocol.audit import Event
from authserver.protocol.role import Permission
from authserver.services.own_api import enable
from authserver.web.admin.roles import ACTS
from tests.browser.scene import CHALLENGE
from tests.conformance.site import CALENDAR, NOTES, Site, open_app
from tests.database import Databases
from tests.trail.mixed_load import REDIRECT_URI, Browser, obtain_code
from tests.web.backchannel.listed import claims
from tests.web.backchannel.test_client_credentials import Machine, machine

from .cluster import Cluster, cluster

SECOND = 1.0
PATIENCE = 60  # seconds for one answer
EVENT = Event("test.done", "system")
LIBRARY: dict[str, Any] = {
    "url": "https://library.example/mcp",
    "name": "Library",
    "scopes": [{"name": "books:read", "description": "Read books", "default": True}],
    "tools": [{"name": "look", "title": "Look at a shelf", "scopes": ["books:read"]}],
}
BURN = {"name": "burn", "title": "Burn a shelf", "scopes": ["books:read"]}
Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Pair:
    """Two nodes: one is changed by the API, as ``robot``, and the ``other`` is asked. ``site`` is beside both."""

    nodes: Cluster
    site: Site
    robot: Machine

    @property
    def other(self) -> str:
        return self.nodes.nodes[1]

    def token(self, who: Machine, resource: str = NOTES.identifier, node: int = 1) -> Any:
        """What a node answers *who*, who asks for a token for itself."""
        form = {"grant_type": "client_credentials", "resource": resource, **who.proof()}
        return httpx2.post(f"{self.nodes.nodes[node]}/token", data=form, timeout=PATIENCE)

    def change(self, method: str, path: str, body: Any = None, *, seen: str = "", **query: str) -> Any:
        """What makes a change at the first node, at once, of what is *seen* there: all that it needs is here by now."""
        api = own_api.identifier(self.nodes.issuer)
        sent = {"Authorization": f"Bearer {self.token(self.robot, api, 0).json()['access_token']}"}
        base = f"{self.nodes.nodes[0]}{own_api.PATH}"
        if seen:
            sent["If-Match"] = httpx2.get(base + seen, headers=sent, timeout=PATIENCE).headers["ETag"]

        def act() -> Any:
            answer = httpx2.request(method, base + path, params=query, json=body, headers=sent, timeout=PATIENCE)
            assert answer.status_code < 300, answer.text
            return answer

        return act

    def kids(self) -> set[str]:
        """The names of the keys that the other node publishes."""
        return {key["kid"] for key in httpx2.get(f"{self.other}/jwks", timeout=PATIENCE).json()["keys"]}


@pytest.fixture(scope="module")
def pair(databases: Databases, tmp_path_factory: pytest.TempPathFactory, _on_postgresql: None) -> Iterator[Pair]:
    url, folder = databases.create(), tmp_path_factory.mktemp("pair")
    with cluster(folder, url, url) as nodes:
        assert not [name for name in nodes.environment if "LISTEN_URL" in name]
        app = open_app(url, Path(nodes.environment["AUTHSERVER_HOME"]), issuer=nodes.issuer)
        site = Site(app, app.extensions["authserver"])
        enable(site.deployment.stores.resources, nodes.issuer, ACTS, EVENT)
        scopes = tuple(own_api.scope_of(each) for each in Permission)
        yield Pair(nodes, site, machine(site, ceilings={own_api.identifier(nodes.issuer): scopes}))
        site.deployment.stores.database.close()
    databases.drop(url)


def within_a_second(ask: Callable[[], Seen], change: Callable[[], object]) -> tuple[Seen, Seen]:
    """What *ask* gives before *change*, and what it gives a second after it."""
    time.sleep(2 * SECOND)  # one that looked less often than it should would look then, too
    before = ask()
    change()
    time.sleep(SECOND)
    return before, ask()


def test_a_client_that_is_suspended_gets_nothing(pair: Pair):
    who = machine(pair.site)
    suspend = pair.change("POST", "/client/suspend", id=who.client.client_id)
    assert within_a_second(lambda: pair.token(who).status_code, suspend) == (200, 401)


def test_rules_count(pair: Pair):
    who, calendar = machine(pair.site), CALENDAR.identifier
    rule = {"name": "no machines", "effect": "deny", "who": ["machine"], "servers": [calendar]}
    version = pair.site.deployment.stores.policies.current().version
    apply = pair.change("PUT", "/policies", {"version": version, "rules": [rule]})
    assert within_a_second(lambda: pair.token(who, calendar).status_code, apply) == (200, 400)
    lift = pair.change("PUT", "/policies", {"version": version + 1, "rules": []})
    assert within_a_second(lambda: pair.token(who, calendar).status_code, lift) == (400, 200)


def registered(pair: Pair) -> str:
    asked = {"client_name": "Editor", "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
    asked |= {"grant_types": ["authorization_code", "refresh_token"]}
    return str(httpx2.post(f"{pair.nodes.issuer}/register", json=asked, timeout=PATIENCE).json()["client_id"])


def entries(status_list: str) -> bytes:
    packed = str(claims(status_list)["status_list"]["lst"])
    return zlib.decompress(urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))


@pytest.mark.requirement("TK-10")
def test_a_grant_that_is_revoked_gives_nothing_and_is_on_the_list_for_guards(pair: Pair):
    client_id, verifier = registered(pair), secrets.token_urlsafe(48)
    ada = Browser(pair.nodes.issuer, "ada")
    with closing(ada.http):
        code = obtain_code(ada, client_id, verifier)
    common = {"client_id": client_id, "resource": NOTES.identifier}

    def tokens(**form: str) -> Any:
        return httpx2.post(f"{pair.other}/token", data={**common, **form}, timeout=PATIENCE)

    found = tokens(grant_type="authorization_code", code=code, code_verifier=verifier, redirect_uri=REDIRECT_URI).json()
    place = claims(found["access_token"])["status"]["status_list"]

    def stands() -> tuple[int, bool]:
        listed = entries(httpx2.get(f"{pair.other}{urlsplit(place['uri']).path}", timeout=PATIENCE).text)
        answer = tokens(grant_type="refresh_token", refresh_token=found["refresh_token"])
        found.update(answer.json())
        return answer.status_code, bool(listed[place["idx"] // 8] >> place["idx"] % 8 & 1)

    user = pair.site.deployment.stores.users.by_name("ada")
    assert user is not None
    (grant,) = (each for each in pair.site.deployment.stores.grants.for_user(user.id) if each.client_id == client_id)
    revoke = pair.change("POST", "/grant/revoke", id=grant.id)
    assert within_a_second(stands, revoke) == ((200, False), (400, True))


def test_tools_of_a_server_are_what_people_are_asked_about(pair: Pair):
    pair.change("PUT", "/server", LIBRARY)()
    asked = {
        "response_type": "code",
        "client_id": registered(pair),
        "redirect_uri": REDIRECT_URI,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "resource": LIBRARY["url"],
        "scope": "books:read",
    }
    ada = Browser(pair.nodes.issuer, "ada")
    with closing(ada.http):
        ada.open("/account/connections")

        def titles() -> set[str]:
            page = ada.http.get(f"{pair.other}/authorize?{urlencode(asked)}").text
            return {title for title in ("Look at a shelf", "Burn a shelf") if title in page}

        seen = f"/server?{urlencode({'id': LIBRARY['url']})}"
        add = pair.change("PUT", "/server", {**LIBRARY, "tools": [*LIBRARY["tools"], BURN]}, seen=seen)
        assert within_a_second(titles, add) == ({"Look at a shelf"}, {"Look at a shelf", "Burn a shelf"})


@pytest.mark.requirement("TK-12", "DI-5")
def test_a_key_that_is_withdrawn_is_published_no_more_and_signs_nothing(pair: Pair):
    who = machine(pair.site)

    def signed_by() -> str:
        return str(jwt.get_unverified_header(pair.token(who).json()["access_token"])["kid"])

    kid = signed_by()
    withdraw = pair.change("POST", "/key/withdraw", id=kid)
    assert within_a_second(lambda: kid in pair.kids(), withdraw) == (True, False)
    assert signed_by() in pair.kids() - {kid}


@pytest.mark.requirement("TK-12", "DI-5")
def test_after_an_emergency_none_of_the_keys_before_it_is_published(pair: Pair):
    who = machine(pair.site)
    before, after = within_a_second(pair.kids, pair.change("POST", "/keys/withdraw"))
    assert before
    assert not before & after
    token = pair.token(who).json()["access_token"]
    assert jwt.get_unverified_header(token)["kid"] in after
