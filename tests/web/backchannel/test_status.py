"""Status lists over HTTP: what ends, however it ends, is on the list of its resource within a second (TK-10)."""

import json
import time
import zlib
from base64 import urlsafe_b64decode
from collections.abc import Callable
from urllib.parse import urlsplit

import jwt
import pytest
from werkzeug.test import TestResponse

from authserver.keys.numbering import SIZE, tag
from authserver.protocol import credential, status_list
from authserver.protocol.audit import Event
from authserver.services.composition import compose
from authserver.services.ended_places import EndedPlaces
from authserver.store.grants import Whose
from tests.conformance.flow import Flow
from tests.conformance.site import CALENDAR, ISSUER, NOTES, Site
from tests.conformance.visitor import Visitor

from .clock import passes
from .listed import claims, look_each_time

__all__ = ["look_each_time"]

pytestmark = pytest.mark.usefixtures("look_each_time")

EVENT = Event("test.done", "system")
REVOKED = f"/status/{tag(NOTES.identifier)}/revoked"


def place(token: str) -> tuple[str, int]:
    """Path of the list and index that *token* names."""
    reference = claims(token)["status"]["status_list"]
    assert set(reference) == {"idx", "uri"}
    assert reference["uri"].startswith(f"{ISSUER}/status/")
    return urlsplit(reference["uri"]).path, reference["idx"]


def entries(answer: TestResponse) -> bytes:
    assert answer.status_code == 200, answer.text
    found = claims(answer.text)["status_list"]
    assert found["bits"] == 1
    lst = found["lst"]
    return zlib.decompress(urlsafe_b64decode(lst + "=" * (-len(lst) % 4)))


def invalid(site: Site, token: str) -> bool:
    path, index = place(token)
    return bool(entries(site.get(path))[index // 8] >> index % 8 & 1)


def grant_of(site: Site, token: str) -> str:
    user = site.deployment.stores.users.by_name("ada")
    assert user is not None
    grants = site.deployment.stores.grants.for_user(user.id)
    return next(grant.id for grant in grants if grant.client_id == claims(token)["client_id"])


@pytest.mark.requirement("TK-10", "DI-5")
def test_a_list_is_signed_by_a_key_of_its_own_and_says_what_the_draft_wants(
    site: Site, flow: Flow, visitor: Visitor
) -> None:
    token = flow.tokens(visitor)["access_token"]
    path, _ = place(token)
    answer = site.get(path)
    assert answer.content_type == "application/statuslist+jwt"
    keys = {key["kid"]: key for key in site.get("/jwks").json["keys"]}
    header = jwt.get_unverified_header(answer.text)
    assert header["typ"] == "statuslist+jwt"
    assert header["kid"] != jwt.get_unverified_header(token)["kid"]
    assert keys[header["kid"]]["purpose"] == "status"
    found = jwt.decode(answer.text, jwt.PyJWK(keys[header["kid"]]), algorithms=["ES256"], issuer=ISSUER)
    assert found["sub"] == ISSUER + path
    assert found["exp"] > found["iat"]
    assert found["ttl"] == 60
    assert len(entries(answer)) == SIZE // 8


def _end_grant(site: Site, flow: Flow, visitor: Visitor, token: str) -> None:
    assert site.deployment.stores.grants.revoke(grant_of(site, token), EVENT)


def _end_family(site: Site, flow: Flow, visitor: Visitor, token: str) -> None:
    flow.site.post("/revoke", data={"token": flow.values["refresh_token"], "client_id": flow.values["client_id"]})


def _reuse(site: Site, flow: Flow, visitor: Visitor, token: str) -> None:
    stolen = flow.values["refresh_token"]
    flow.refresh()
    passes(site, "refresh_tokens", "rotated_at", 31, digest=credential.digest(stolen))
    assert flow.refresh(refresh_token=stolen).status_code == 400


def _replay_code(site: Site, flow: Flow, visitor: Visitor, token: str) -> None:
    passes(site, "authorization_codes", "redeemed_at", 31, digest=credential.digest(flow.values["code"]))
    assert flow.token().status_code == 400


def _end_client(site: Site, flow: Flow, visitor: Visitor, token: str) -> None:
    assert site.deployment.stores.clients.delete(flow.values["client_id"], EVENT)


def _suspend_client(site: Site, flow: Flow, visitor: Visitor, token: str) -> None:
    assert site.deployment.stores.clients.set_suspended(flow.values["client_id"], True, EVENT)


def _end_all_of_person(site: Site, flow: Flow, visitor: Visitor, token: str) -> None:
    assert site.deployment.stores.grants.revoke_all(Whose(user_id=claims(token)["sub"]), EVENT)


@pytest.mark.requirement("TK-10")
@pytest.mark.parametrize(
    "end", [_end_grant, _end_family, _reuse, _replay_code, _end_client, _suspend_client, _end_all_of_person]
)
def test_whatever_ends_it_the_next_list_says_so_and_no_other_token_is_touched(
    site: Site, flow: Flow, visitor: Visitor, end: Callable[[Site, Flow, Visitor, str], None]
) -> None:
    other = Flow(site)
    flow.register()
    other.register()
    token, another = flow.tokens(visitor)["access_token"], other.tokens(Visitor(site))["access_token"]
    assert (invalid(site, token), invalid(site, another)) == (False, False)
    end(site, flow, visitor, token)
    assert invalid(site, token)
    assert end is _end_all_of_person or not invalid(site, another)


@pytest.mark.requirement("TK-10")
def test_a_disabled_person_and_a_removed_server_end_their_tokens(
    site_with: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = site_with()
    stores = site.deployment.stores
    first = Flow(site).tokens(Visitor(site))["access_token"]
    stores.users.set_disabled(claims(first)["sub"], True, EVENT)
    assert invalid(site, first)
    second = Flow(site).tokens(Visitor(site, "root"))["access_token"]
    assert not invalid(site, second)
    stores.resources.remove(NOTES.identifier, EVENT)
    assert invalid(site, second)
    assert site.get(REVOKED).status_code == 200


@pytest.mark.requirement("TK-10")
def test_tokens_of_a_suspended_client_come_back_with_it(site: Site, flow: Flow, visitor: Visitor) -> None:
    token = flow.tokens(visitor)["access_token"]
    clients = site.deployment.stores.clients
    clients.set_suspended(flow.values["client_id"], True, EVENT)
    assert invalid(site, token)
    clients.set_suspended(flow.values["client_id"], False, EVENT)
    assert not invalid(site, token)


@pytest.mark.requirement("TK-10")
def test_a_scope_that_is_unticked_ends_what_was_issued_and_the_family_goes_on_elsewhere(
    site: Site, flow: Flow, visitor: Visitor
) -> None:
    token = flow.tokens(visitor, scope="notes:read notes:write")["access_token"]
    visitor.decide(flow.url(scope="notes:read notes:write", prompt="consent"), scopes={"notes:read"})
    assert invalid(site, token)
    renewed = flow.refresh().json
    assert renewed["scope"] == "notes:read"
    assert place(renewed["access_token"]) != place(token)
    assert not invalid(site, renewed["access_token"])


@pytest.mark.requirement("TK-10")
def test_a_refreshed_token_keeps_the_place_of_its_family_and_another_family_has_another(
    site: Site, flow: Flow, visitor: Visitor
) -> None:
    first = flow.tokens(visitor)["access_token"]
    assert place(flow.refresh().json["access_token"]) == place(first)
    assert place(flow.tokens(visitor)["access_token"]) != place(first)


@pytest.mark.requirement("TK-10", "TK-8")
def test_a_token_revoked_alone_is_on_the_short_list_and_its_family_is_not(
    site: Site, flow: Flow, visitor: Visitor
) -> None:
    token = flow.tokens(visitor)["access_token"]
    before = site.get(REVOKED)
    assert before.content_type == "application/revoked-tokens+jwt"
    assert claims(token)["jti"] not in claims(before.text)["revoked"]
    site.post("/revoke", data={"token": token, "client_id": flow.values["client_id"]})
    after = claims(site.get(REVOKED).text)
    assert claims(token)["jti"] in after["revoked"]
    assert after["sub"] == ISSUER + REVOKED
    assert not invalid(site, token)
    assert claims(token)["jti"] not in claims(site.get(f"/status/{tag(CALENDAR.identifier)}/revoked").text)["revoked"]


@pytest.mark.requirement("TK-10")
def test_an_unchanged_list_is_not_sent_again(site: Site, flow: Flow, visitor: Visitor) -> None:
    token = flow.tokens(visitor)["access_token"]
    path, _ = place(token)
    first = site.get(path)
    etag = first.headers["ETag"]
    known = {"If-None-Match": etag}
    again = site.get(path, headers=known)
    # It is signed anew every half minute, whatever happens: then the answer is a new one, once.
    assert (
        again.status_code == 304 or site.get(path, headers={"If-None-Match": again.headers["ETag"]}).status_code == 304
    )
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    _end_grant(site, flow, visitor, token)
    changed = site.get(path, headers=known)
    assert changed.status_code == 200
    assert claims(changed.text)["iat"] >= claims(first.text)["iat"]


@pytest.mark.requirement("TK-10")
def test_a_list_is_signed_anew_at_half_its_time_and_two_nodes_say_the_same(
    site_with: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = site_with()  # of its own: what it signs in the future would be served to whoever comes after
    path, _ = place(Flow(site).tokens(Visitor(site))["access_token"])
    now = [time.time() // status_list.TTL * status_list.TTL + 1000 * status_list.TTL]
    monkeypatch.setattr(EndedPlaces, "clock", lambda _: now[0])
    first = site.get(path)
    now[0] += status_list.TTL / 2 - 1
    same, elsewhere = site.get(path), compose(site.deployment.settings, site.deployment.stores)
    found = elsewhere.status_lists.find(path.removeprefix("/status/"))
    assert found is not None
    assert (first.text, first.headers["ETag"]) == (same.text, found.etag)
    now[0] += 1
    renewed = site.get(path)
    assert claims(renewed.text)["iat"] == claims(first.text)["iat"] + status_list.TTL // 2
    assert renewed.headers["ETag"] != first.headers["ETag"]


@pytest.mark.requirement("TK-10")
@pytest.mark.parametrize(
    "path",
    [
        "/status/",
        "/status/x/1",
        f"/status/{tag(NOTES.identifier)}/",
        f"/status/{tag(NOTES.identifier)}/-1",
        f"/status/{tag(NOTES.identifier)}/01",
        f"/status/{tag(NOTES.identifier)}/999999999999999999999",
        f"/status/{tag(NOTES.identifier)}/revoked/more",
        "/status/x/revoked",
        "/status/x",
        "/status/%00/\ud7ff",
    ],
)
def test_other_lists_are_not_made_up(site: Site, path: str) -> None:
    answer = site.get(path)
    assert answer.status_code == 404
    assert json.loads(answer.text)["error"] == "not_found"


@pytest.mark.requirement("TK-10", "DI-4")
def test_the_metadata_tells_where_the_lists_are(site: Site, flow: Flow, visitor: Visitor) -> None:
    found = site.get("/.well-known/oauth-authorization-server").json
    template = found["revoked_tokens_uri_template"]
    assert template.replace("{resource}", tag(NOTES.identifier)) == ISSUER + REVOKED
    listed = site.get(urlsplit(found["status_list_aggregation_endpoint"]).path).json["status_lists"]
    path, _ = place(flow.tokens(visitor)["access_token"])
    assert ISSUER + path in listed


@pytest.mark.requirement("TK-10", "TK-12")
def test_nginx_is_told_to_keep_lists_and_keys_to_the_end_of_this_second(
    site: Site, flow: Flow, visitor: Visitor
) -> None:
    """By ``max-age=1`` it keeps them for up to two, too long for what guards are to feel within three."""
    path, _ = place(flow.tokens(visitor)["access_token"])
    for each in (path, REVOKED, "/jwks"):
        before = int(time.time())
        etag = site.get(each).headers["ETag"]
        for answer in (site.get(each), site.get(each, headers={"If-None-Match": etag})):
            until = int(answer.headers["X-Accel-Expires"].removeprefix("@"))
            assert before <= until <= time.time()
