"""What is answered where it is read: a plain "has it changed?", as the whole way does, and nothing else (TK-10)."""

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from authserver.keys.numbering import tag
from authserver.protocol.audit import Event
from authserver.services import status_lists
from authserver.services.composition import compose
from authserver.store.grants import Whose
from authserver.web.backchannel.unchanged import Unchanged
from tests.conformance.flow import Flow
from tests.conformance.site import NOTES, Site
from tests.conformance.visitor import Visitor

from .listed import later

__all__ = ["later"]

SUMMARY = f"/status/{tag(NOTES.identifier)}"
FIELDS = ("Host: localhost:9000", "Accept: */*", "Connection: keep-alive")


@pytest.fixture
def at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been asked for once is at hand from then on: it is neither looked for nor signed anew."""
    now = time.time()
    monkeypatch.setattr(status_lists, "LOOK_SECONDS", 3600)
    monkeypatch.setattr(status_lists, "time", SimpleNamespace(time=lambda: now, monotonic=time.monotonic))


@pytest.fixture
def quick(site: Site, at_hand: None) -> Unchanged:
    return Unchanged(site.deployment.status_lists, site.deployment.settings.issuer)


def asked(etag: str, *more: str, path: str = SUMMARY, method: str = "GET", version: str = "1.1") -> bytes:
    fields = (*FIELDS, f"If-None-Match: {etag}", *more)
    return "\r\n".join((f"{method} {path} HTTP/{version}", *fields, "", "")).encode()


@pytest.mark.requirement("TK-10")
@pytest.mark.parametrize("path", [SUMMARY, f"{SUMMARY}/revoked"])
def test_who_has_it_is_answered_as_by_the_whole_way(site: Site, quick: Unchanged, path: str) -> None:
    etag = site.get(path).headers["ETag"]
    whole = site.get(path, headers={"If-None-Match": etag})
    answer = quick.answer(asked(etag, path=path))
    assert answer is not None
    head, end, body = answer.decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines)
    assert (status.upper(), end, body) == (f"HTTP/1.1 {whole.status.upper()}", "\r\n\r\n", "")
    added, brief = {"Date", "Connection"}, "X-Accel-Expires"
    assert fields.keys() - added == set(whole.headers.keys())
    assert all(fields[name] == value for name, value in whole.headers.items() if name != brief)


@pytest.mark.requirement("TK-10")
@pytest.mark.parametrize(
    "change",
    [
        lambda etag: asked('W/"other"'),
        lambda etag: asked(etag, path="/jwks"),
        lambda etag: asked(etag, path=f"{SUMMARY}/"),
        lambda etag: asked(etag, path=f"{SUMMARY}?x=1"),
        lambda etag: asked(etag, path="/status/../status"),
        lambda etag: asked(etag, path="/authorize"),
        lambda etag: asked(etag, path=f"http://localhost:9000{SUMMARY}"),
        lambda etag: asked(etag, method="HEAD"),
        lambda etag: asked(etag, method="POST"),
        lambda etag: asked(etag, version="1.0"),
        lambda etag: asked(etag, "Content-Length: 0"),
        lambda etag: asked(etag, "Transfer-Encoding: chunked"),
        lambda etag: asked(etag, "Expect: 100-continue"),
        lambda etag: asked(etag, "Connection: close"),
        lambda etag: asked(etag, f"If-None-Match: {etag}"),
        lambda etag: asked(etag, " folded"),
        lambda etag: asked(etag, "Accept : */*"),
        lambda etag: asked(etag, "X: \x00"),
        lambda etag: asked(etag).replace(b"keep-alive", b"close"),
        lambda etag: asked(etag).replace(b"\r\n", b"\n"),
        lambda etag: asked(etag).replace(b"Host", b"Hosts"),
        lambda etag: asked(etag)[:-1],
        lambda etag: asked(etag) * 2,
        lambda etag: asked(etag) + b"GET",
        lambda etag: b"",
        lambda etag: b"\x16\x03\x01" * 100,
    ],
)
def test_all_else_goes_the_whole_way(site: Site, quick: Unchanged, change: Callable[[str], bytes]) -> None:
    etag = site.get(SUMMARY).headers["ETag"]
    assert quick.answer(asked(etag)) is not None
    assert quick.answer(change(etag)) is None


@pytest.mark.requirement("TK-10")
def test_who_has_what_was_before_a_change_goes_the_whole_way_and_gets_what_is_now(
    site_with: Callable[..., Site], later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_lists, "LOOK_SECONDS", 3600)
    site = site_with()
    quick = Unchanged(site.deployment.status_lists, site.deployment.settings.issuer)
    etag = site.get(SUMMARY).headers["ETag"]
    Flow(site).tokens(Visitor(site))
    user = site.deployment.stores.users.by_name("ada")
    assert user is not None
    site.deployment.stores.grants.revoke_all(Whose(user_id=user.id), Event("test.done", "system"))
    later(3600)
    assert quick.answer(asked(etag)) is None
    assert site.get(SUMMARY, headers={"If-None-Match": etag}).status_code == 200
    assert quick.answer(asked(etag)) is None


@pytest.mark.requirement("TK-10")
@pytest.mark.usefixtures("at_hand")
def test_below_an_issuer_with_a_path_it_is_found_there_alone(site_with: Callable[..., Site]) -> None:
    site = site_with(issuer="http://localhost:9000/tenant")
    lists = compose(site.deployment.settings, site.deployment.stores).status_lists
    found = lists.find(SUMMARY.removeprefix("/status/"))
    assert found is not None
    quick = Unchanged(lists, site.deployment.settings.issuer)
    assert quick.answer(asked(found.etag, path=f"/tenant{SUMMARY}")) is not None
    assert quick.answer(asked(found.etag)) is None
