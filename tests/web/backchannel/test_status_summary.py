"""The summary over HTTP: it names what is served now, and changes when that does and only then (TK-10)."""

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from sqlalchemy.exc import OperationalError

from authserver.keys.numbering import tag
from authserver.protocol import status_list
from authserver.protocol.audit import Event
from authserver.services import status_lists
from authserver.services.composition import compose
from authserver.services.ended_places import EndedPlaces
from authserver.services.status_lists import StatusLists
from authserver.store.ended import EndedStore, RevokedToken
from tests.conformance.flow import Flow
from tests.conformance.site import CALENDAR, ISSUER, NOTES, Site
from tests.conformance.visitor import Visitor

from .clock import passes
from .listed import claims, later, look_each_time

__all__ = ["later", "look_each_time"]

pytestmark = pytest.mark.usefixtures("look_each_time")

EVENT = Event("test.done", "system")
SUMMARY = f"/status/{tag(NOTES.identifier)}"
OTHER = f"/status/{tag(CALENDAR.identifier)}"


def etag(site: Site, path: str = SUMMARY) -> str:
    answer = site.get(path)
    assert answer.status_code == 200
    return answer.headers["ETag"]


@pytest.mark.requirement("TK-10", "DI-4")
def test_it_names_the_published_keys_and_the_version_that_each_list_says_itself(
    site: Site, flow: Flow, visitor: Visitor
) -> None:
    token = flow.tokens(visitor)["access_token"]
    template = site.get("/.well-known/oauth-authorization-server").json["status_summary_uri_template"]
    assert template.replace("{resource}", tag(NOTES.identifier)) == ISSUER + SUMMARY
    answer = site.get(SUMMARY)
    assert answer.content_type == "application/json"
    assert answer.json["keys"] == sorted(key["kid"] for key in site.get("/jwks").json["keys"])
    own = urlsplit(claims(token)["status"]["status_list"]["uri"]).path.rpartition("/")[2]
    assert {own, "revoked"} <= set(answer.json["lists"])
    for name, version in answer.json["lists"].items():
        assert claims(site.get(f"{SUMMARY}/{name}").text)["version"] == version


@pytest.mark.requirement("TK-10")
def test_what_ends_changes_it_and_that_of_no_other_resource(site: Site, flow: Flow, visitor: Visitor) -> None:
    token = flow.tokens(visitor)["access_token"]
    before, other = etag(site), etag(site, OTHER)
    assert site.get(SUMMARY, headers={"If-None-Match": before}).status_code == 304
    site.post("/revoke", data={"token": token, "client_id": flow.values["client_id"]})
    alone = etag(site)
    clients = site.deployment.stores.clients
    clients.set_suspended(flow.values["client_id"], True, EVENT)
    suspended = etag(site)
    clients.set_suspended(flow.values["client_id"], False, EVENT)
    again = etag(site)
    site.post("/revoke", data={"token": flow.values["refresh_token"], "client_id": flow.values["client_id"]})
    assert len({before, alone, suspended}) == 3
    assert again == alone
    assert etag(site) == suspended  # the same places, for good this time
    assert etag(site, OTHER) == other


@pytest.mark.requirement("TK-10", "TK-12")
def test_another_set_of_keys_changes_it(site_with: Callable[..., Site]) -> None:
    site = site_with()
    before = etag(site)
    site.deployment.rotation.replace_all()
    assert etag(site) != before
    assert site.get(SUMMARY).json["keys"] == sorted(key["kid"] for key in site.get("/jwks").json["keys"])


@pytest.mark.requirement("TK-10")
def test_lists_that_are_signed_anew_and_say_the_same_do_not_change_it_on_any_node(
    site_with: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = site_with()
    now = [time.time() // status_list.TTL * status_list.TTL + 1000 * status_list.TTL]
    monkeypatch.setattr(EndedPlaces, "clock", lambda _: now[0])
    before, signed = etag(site), etag(site, f"{SUMMARY}/revoked")
    now[0] += status_list.RENEWED
    assert etag(site, f"{SUMMARY}/revoked") != signed
    assert etag(site) == before
    elsewhere = compose(site.deployment.settings, site.deployment.stores).status_lists
    found = elsewhere.find(SUMMARY.removeprefix("/status/"))
    assert found is not None
    assert found.etag == before


def said(lists: StatusLists) -> str:
    found = lists.find(SUMMARY.removeprefix("/status/"))
    assert found is not None
    return found.etag


def another_node(site: Site) -> StatusLists:
    return compose(site.deployment.settings, site.deployment.stores).status_lists


def end(site: Site, flow: Flow, ago: int = 0) -> None:
    """End the flow's family, so many seconds ago."""
    site.post("/revoke", data={"token": flow.values["refresh_token"], "client_id": flow.values["client_id"]})
    if ago:
        client = flow.values["client_id"]
        user = site.deployment.stores.users.by_name("ada")
        assert user is not None
        grants = site.deployment.stores.grants.for_user(user.id)
        grant = next(each.id for each in grants if each.client_id == client)
        passes(site, "refresh_families", "revoked_at", ago, grant_id=grant)


@pytest.mark.requirement("TK-10")
@pytest.mark.parametrize("pause", [130, 250, 290])
def test_a_node_that_nobody_asked_for_a_while_knows_what_ended_meanwhile(
    site_with: Callable[..., Site], later: Callable[[float], None], pause: int
) -> None:
    site = site_with()
    flow = Flow(site)
    flow.tokens(Visitor(site))
    lists = another_node(site)
    before = said(lists)
    end(site, flow, ago=pause)
    later(pause + 1)
    assert said(lists) == said(another_node(site)) != before


@pytest.mark.requirement("TK-10")
@pytest.mark.parametrize("broken", ["positions", "tokens", "suspended", "reach"])
@pytest.mark.parametrize("pause", [1, 301])
def test_a_look_that_broke_off_loses_nothing(
    site_with: Callable[..., Site],
    later: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
    pause: int,
) -> None:
    site = site_with()
    flow = Flow(site)
    flow.tokens(Visitor(site))
    lists = another_node(site)
    end(site, flow, ago=200)
    said(lists)
    other = Flow(site)
    other.tokens(Visitor(site))
    site.deployment.stores.clients.set_suspended(other.values["client_id"], True, EVENT)
    later(pause)

    def down(*_: object) -> list[RevokedToken]:
        raise OperationalError("SELECT", {}, Exception("gone"))

    with monkeypatch.context() as patched:
        patched.setattr(EndedStore, broken, down)
        with pytest.raises(OperationalError):
            said(lists)
    assert said(lists) == said(another_node(site))


@pytest.mark.requirement("TK-10")
def test_a_change_is_not_lost_when_the_keys_cannot_be_read(
    site_with: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = site_with()
    flow = Flow(site)
    flow.tokens(Visitor(site))
    node = compose(site.deployment.settings, site.deployment.stores)
    lists = node.status_lists
    before = said(lists)
    end(site, flow)

    def down() -> tuple[str, ...]:
        raise OperationalError("SELECT", {}, Exception("gone"))

    with monkeypatch.context() as patched:
        patched.setattr(node.keyring, "kids", down)
        with pytest.raises(OperationalError):
            said(lists)
    assert said(lists) == said(another_node(site)) != before


@pytest.mark.requirement("TK-10")
def test_what_a_look_throws_away_meanwhile_is_not_at_hand(
    site_with: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_lists, "LOOK_SECONDS", 0.5)
    site = site_with()
    flow = Flow(site)
    flow.tokens(Visitor(site))
    lists, path = another_node(site), SUMMARY.removeprefix("/status/")
    before = said(lists)
    end(site, flow)
    half_a_second_later = time.monotonic() + 0.5
    looking: list[bool] = []

    def monotonic() -> float:
        if not looking:
            looking.append(True)
            said(lists)  # as another thread may, in just that moment
        return half_a_second_later

    monkeypatch.setattr(status_lists, "time", SimpleNamespace(time=time.time, monotonic=monotonic))
    found = lists.at_hand(path)
    assert found is None or found.etag != before


class Door:
    """In the place of a lock: tells who has come to it, inside or waiting."""

    def __init__(self) -> None:
        self.came = threading.Semaphore(0)
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self.came.release()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@pytest.mark.requirement("TK-10")
def test_who_waited_for_a_slow_look_does_not_look_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_lists, "LOOK_SECONDS", 0.1)
    now, looks, door, read = [1000.0], [], Door(), EndedStore.tokens
    lists = another_node(site)
    monkeypatch.setattr(lists, "_lock", door)
    monkeypatch.setattr(status_lists, "time", SimpleNamespace(time=time.time, monotonic=lambda: now[0]))
    asking = [threading.Thread(target=said, args=(lists,)) for _ in range(6)]

    def slow(store: EndedStore) -> list[RevokedToken]:
        looks.append(now[0])
        if len(looks) == 1:
            assert all(door.came.acquire(timeout=30) for _ in asking)
        now[0] += 0.3
        return read(store)

    monkeypatch.setattr(EndedStore, "tokens", slow)
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert len(looks) == 1
