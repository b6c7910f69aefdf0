"""Floods of pages: a person's own flood is theirs, a stranger's is their address's, and the page says what to do."""

from collections.abc import Callable

from authserver.web import busy
from authserver.web.lanes import Lane
from authserver.web.problems import BY_STATUS
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor

SiteWith = Callable[..., Site]


def test_a_person_who_asks_for_too_many_pages_is_told_to_wait(site_with: SiteWith) -> None:
    site = site_with(pages_per_person="3 per hour")
    ada, root = Visitor(site), Visitor(site, "root")
    ada.open("/sign-in")
    while (answer := ada.http.get("/account/connections")).status_code == 200:
        pass
    assert (answer.status_code, answer.mimetype) == (429, "text/html")
    assert int(answer.headers["Retry-After"]) > 0
    assert BY_STATUS[429].happened in answer.text
    assert BY_STATUS[429].remedy[0] in answer.text
    assert root.open("/account/connections").status_code == 200


def test_a_strangers_flood_leaves_those_who_are_signed_in_at_its_address(site_with: SiteWith) -> None:
    site = site_with(pages_per_address="20 per hour")
    ada = Visitor(site)
    assert ada.open("/account/connections").status_code == 200
    stranger = site.http()
    while (answer := stranger.get("/sign-in")).status_code == 200:
        pass
    assert answer.status_code == 429
    assert stranger.get("/authorize?client_id=x").status_code == 429
    assert ada.open("/account/connections").status_code == 200
    assert stranger.get("/sign-in", environ_base={"REMOTE_ADDR": "203.0.113.5"}).status_code == 200


def test_what_a_page_is_made_of_is_not_counted_and_each_kind_is_sent_away_in_its_own_form(site_with: SiteWith) -> None:
    site = site_with(pages_per_address="2 per hour")
    for _ in range(5):
        with site.get("/static/site.css") as answer:
            assert answer.status_code == 200
    assert site.get("/sign-in").status_code == 200
    forms = dict.fromkeys(Lane, "application/json")
    forms |= dict.fromkeys((Lane.PAGES, Lane.AUTHORIZATIONS, Lane.ACCOUNTS), "text/html; charset=utf-8")
    forms |= {Lane.ADMINISTRATION: "application/problem+json"}
    for lane, refusal in busy.refusals(site.app).items():
        head, _, body = refusal.partition(b"\r\n\r\n")
        line, *lines = head.decode().split("\r\n")
        fields = dict(each.split(": ", 1) for each in lines)
        assert line == "HTTP/1.1 503 Service Unavailable"
        assert (fields["Content-Type"], int(fields["Content-Length"])) == (forms[lane], len(body))
        assert int(fields["Retry-After"]) > 0
        if lane is Lane.PAGES:
            assert BY_STATUS[503].remedy[0] in body.decode()
