"""The summary over HTTP: it names what is served now, and changes when that does and only then (TK-10)."""

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest

from authserver.app import compose
from authserver.keys.numbering import tag
from authserver.protocol import status_list
from authserver.protocol.audit import Event
from authserver.services import status_lists
from tests.conformance.flow import Flow
from tests.conformance.site import CALENDAR, ISSUER, NOTES, Site
from tests.conformance.visitor import Visitor

EVENT = Event("test.done", "system")
SUMMARY = f"/status/{tag(NOTES.identifier)}"
OTHER = f"/status/{tag(CALENDAR.identifier)}"


@pytest.fixture(autouse=True)
def _look_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each request look at the state, as the first one of each half second does."""
    monkeypatch.setattr(status_lists, "LOOK_SECONDS", 0)


def claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


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
    monkeypatch.setattr(status_lists, "time", SimpleNamespace(time=lambda: now[0], monotonic=time.monotonic))
    before, signed = etag(site), etag(site, f"{SUMMARY}/revoked")
    now[0] += status_list.RENEWED
    assert etag(site, f"{SUMMARY}/revoked") != signed
    assert etag(site) == before
    elsewhere = compose(site.deployment.settings, site.deployment.stores).status_lists
    found = elsewhere.find(SUMMARY.removeprefix("/status/"))
    assert found is not None
    assert found.etag == before
