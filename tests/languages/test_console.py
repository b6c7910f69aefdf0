"""Each page of the console, opened by an owner who prefers German, shows none of our texts in English."""

from collections.abc import Iterable, Iterator
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from tests.conformance.flow import Flow
from tests.conformance.site import NOTES, Site
from tests.conformance.visitor import Visitor, forms
from tests.languages.conftest import Reader
from tests.languages.english import english
from tests.policies.conftest import apply
from tests.web.pages.test_hostile_names import hostile
from tests.web.pages.test_roles import OPEN_TO

__all__ = ["hostile"]

Hostile = tuple[Site, dict[str, str]]
LISTS = ("clients", "grants", "people", "traces", "audit", "calls", "approvals", "policies/requests")
CHOSEN = (
    {"q": "nothing"},
    {"person": "nobody", "show": "all"},
    {"kind": "client", "only": "waiting"},
    {"kind": "change", "only": "changed"},
    {"only": "denied", "show": "live"},
)
RULES = (
    {
        "name": "no tool",
        "effect": "deny",
        "tools": ["x"],
        "through": ["kind:dynamic"],
        "verified": True,
        "unless": {"factor": ["passkey"]},
    },
    {"name": "ask first", "effect": "require approval", "scopes": ["notes:write"], "who": ["user:nobody", "user:ada"]},
    {"name": "anew", "effect": "require fresh sign-in", "risks": ["destructive"], "from": ["10.0.0.0/8"]},
    {"name": "rest", "effect": "allow"},
    {"name": "never", "effect": "allow", "servers": ["https://nowhere.example/mcp"], "days": ["mon"]},
)
FOUND = ("", "nothing", "ey.ey.ey", "mcs_secret", "mrt_token")


@pytest.fixture
def owner(hostile: Hostile, reader: Reader) -> Visitor:
    """An owner whose browser prefers German, signed in."""
    found = reader(hostile[0], "de", "root")
    found.open("/sign-in")
    return found


def left_in_english(pages: Iterable[TestResponse]) -> set[tuple[str, str]]:
    """What the *pages* show in English, by their addresses; each is a page."""
    found = list(pages)
    assert [page.request.path for page in found if page.status_code >= 500 or '<html lang="de"' not in page.text] == []
    return {(page.request.path, text) for page in found for text in english(page.text)}


def test_each_page_of_the_console_is_german_for_whoever_prefers_it(hostile: Hostile, owner: Visitor):
    of = hostile[1]
    pages = [owner.http.get(f"{path}?{of.get(path.removeprefix('/admin/'), '')}") for path in OPEN_TO]
    assert [page.request.path for page in pages if page.status_code != 200] == []
    assert left_in_english(pages) == set()


def test_each_form_that_comes_too_late_is_answered_in_german(hostile: Hostile, owner: Visitor):
    def answers() -> Iterator[TestResponse]:
        for path, query in hostile[1].items():
            page = owner.http.get(f"/admin/{path}?{query}")
            for form in forms(page):
                if "seen" in form.names():
                    yield owner.submit(page, form, {**dict(form.boxes), "seen": "x"})

    found = list(answers())
    assert len([page for page in found if page.status_code == 409]) > 5
    assert left_in_english(found) == set()


def test_each_list_is_german_whatever_is_searched_for(owner: Visitor):
    pages = [owner.http.get(f"/admin/{name}?{urlencode(chosen)}") for name in LISTS for chosen in CHOSEN]
    assert left_in_english(pages) == set()


def test_rules_and_what_they_answer_are_told_in_german(hostile: Hostile, owner: Visitor):
    site, client_id = hostile[0], Flow(hostile[0]).register().json["client_id"]
    apply(site, *RULES)
    asked = {"user": "ada", "client": client_id, "server": NOTES.identifier}
    questions: tuple[dict[str, str], ...] = (
        {},
        {"tool": "delete_note", "from": "10.0.0.1"},
        {"user": "", "tool": "x"},
        {"user": "nobody"},
        {"client": "nobody"},
        {"at": "now"},
    )
    pages = [owner.http.get(f"/admin/policies?{urlencode({**asked, **question})}") for question in questions]
    pages.append(owner.http.get(f"/admin/server?id={NOTES.identifier}"))
    apply(site)
    assert "nach der Regel" in pages[1].text
    assert left_in_english(pages) == set()


def test_what_is_refused_is_refused_in_german(hostile: Hostile, owner: Visitor, reader: Reader):
    def answers() -> Iterator[TestResponse]:
        page = owner.http.get("/admin/grants/token")
        for value in FOUND:
            yield owner.submit(page, forms(page)[-1], {"token": value})
        page = owner.http.get("/admin/people/invite")
        for typed in ({}, {"role": "member", "username": ""}, {"role": "member", "username": "ada", "email": "a@b.c"}):
            yield owner.submit(page, forms(page)[-1], typed)
        page = owner.http.get("/admin/policies/edit")
        for rules in ("rules: 1", "rules: [{name: all, effect: deny}]"):
            yield owner.submit(page, forms(page)[-1], {"rules": rules, "act": "look"})
        page = owner.http.get(f"/admin/server/examine?id={NOTES.identifier}")
        yield owner.submit(page, forms(page)[-1], {})
        yield reader(hostile[0], "de", "ada").open("/admin/keys")

    assert left_in_english(answers()) == set()
