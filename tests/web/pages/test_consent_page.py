"""The consent page: what it says, and when it is shown."""

import re

import pytest

from tests.conformance.flow import LOOPBACK, PUBLIC
from tests.conformance.site import PASSWORD
from tests.conformance.visitor import Visitor, forms

from .conftest import HOSTED

ALL = "notes:read notes:write notes:delete"
WARNING = "Only allow it if you just started it yourself"
FIRST = "This is the first time"


def boxes(page) -> list[str]:
    return [value for form in forms(page) for name, value in form.boxes if name == "scope"]


def groups(page) -> dict[str, list[str]]:
    """The scopes by the legend that they stand under."""
    found = re.findall(r"<fieldset>\s*<legend>(.*?)</legend>(.*?)</fieldset>", page.text, re.DOTALL)
    return {legend: re.findall(r'name="scope" value="(.*?)"', inside) for legend, inside in found}


def words(page) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


@pytest.mark.requirement("AZ-8")
def test_it_names_client_person_server_and_where_the_browser_goes(flow, visitor):
    flow.register({**PUBLIC, "client_name": "My editor"})
    said = words(visitor.open(flow.url()))
    for fact in ("My editor asks to use Notes", "http://localhost:9001/mcp", "127.0.0.1", "a program on this device"):
        assert fact in said
    assert "Ada (ada)" in said


@pytest.mark.requirement("AZ-8")
def test_it_lists_every_scope_in_words_with_its_risk_and_its_tools(flow, visitor):
    flow.register()
    page = visitor.open(flow.url(scope=ALL))
    assert boxes(page) == ALL.split()
    said = words(page)
    assert "See your notes reads only Tools: List notes" in said
    assert "Write notes makes changes Tools: Write a note" in said
    assert "Delete notes can delete or destroy" in said


@pytest.mark.requirement("AZ-8")
def test_a_client_that_registered_itself_is_called_unverified(flow, visitor):
    flow.register()
    assert "not verified" in visitor.open(flow.url()).text


@pytest.mark.requirement("AZ-8")
def test_a_client_that_an_administrator_registered_is_called_verified(desk, visitor):
    said = words(visitor.open(desk.url(redirect_uri=HOSTED)))
    assert "not verified" not in said
    assert "verified An administrator of this server registered it" in said


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize(
    ("uri", "warned"),
    [(LOOPBACK, True), ("cursor://anysphere.cursor-mcp/oauth/callback", True), (HOSTED, False)],
)
def test_a_client_that_could_be_any_program_on_the_device_is_warned_of(flow, visitor, uri, warned):
    flow.register({**PUBLIC, "redirect_uris": [uri]})
    assert (WARNING in visitor.open(flow.url(redirect_uri=uri)).text) is warned


@pytest.mark.requirement("AZ-8")
def test_the_first_time_stands_out_and_the_second_does_not(flow, visitor):
    flow.register()
    assert FIRST in visitor.open(flow.url()).text
    flow.allow(visitor)
    assert FIRST not in visitor.open(flow.url()).text


@pytest.mark.requirement("AZ-8")
def test_a_strangers_name_is_escaped_cut_and_kept_to_one_direction(flow, visitor):
    flow.register({**PUBLIC, "client_name": "<b>\u202eevil\u200b</b> " + "long " * 40})
    page = visitor.open(flow.url())
    assert "<b>" not in page.text
    assert "\u202e" not in page.text
    names = re.findall(r"<bdi>(&lt;b&gt;.*?)</bdi>", page.text)
    assert names
    assert all(name.endswith("…") and len(name) < 80 for name in names)


@pytest.mark.requirement("AZ-8")
def test_a_client_without_a_name_goes_by_its_host(flow, visitor):
    flow.register({**PUBLIC, "client_name": " \u200b "})
    assert "127.0.0.1 asks to use Notes" in words(visitor.open(flow.url()))


@pytest.mark.requirement("AZ-5")
def test_unknown_scopes_are_not_on_the_page(flow, visitor):
    flow.register()
    assert boxes(visitor.open(flow.url(scope="openid notes:read email"))) == ["notes:read"]


@pytest.mark.requirement("AZ-5")
def test_a_request_without_scope_is_about_the_default_set(flow, visitor):
    flow.register()
    assert boxes(visitor.open(flow.url(scope=None))) == ["notes:read"]


@pytest.mark.requirement("AZ-9")
def test_a_remembered_consent_of_a_hosted_client_is_not_asked_again(hosted, visitor):
    hosted.allow(visitor, redirect_uri=HOSTED)
    assert "code" in hosted.answer(visitor.open(hosted.url(redirect_uri=HOSTED)))


@pytest.mark.requirement("AZ-9")
def test_more_than_was_consented_to_is_asked(hosted, visitor):
    hosted.allow(visitor, redirect_uri=HOSTED)
    page = visitor.open(hosted.url(redirect_uri=HOSTED, scope="notes:read notes:write"))
    assert groups(page) == {
        "New: what it asks for now": ["notes:write"],
        "Already allowed on this device": ["notes:read"],
    }


@pytest.mark.requirement("AZ-9")
def test_consent_is_for_one_redirect_host(flow, visitor):
    other = "https://other.example/callback"
    flow.register({**PUBLIC, "redirect_uris": [HOSTED, other]})
    flow.allow(visitor, redirect_uri=HOSTED)
    assert boxes(visitor.open(flow.url(redirect_uri=other))) == ["notes:read"]


@pytest.mark.requirement("AZ-9")
def test_consent_is_for_one_server(hosted, visitor):
    hosted.allow(visitor, redirect_uri=HOSTED)
    elsewhere = hosted.url(redirect_uri=HOSTED, resource="https://calendar.example/mcp", scope="calendar:read")
    assert boxes(visitor.open(elsewhere)) == ["calendar:read"]


@pytest.mark.requirement("AZ-9")
def test_consent_is_one_persons(hosted, visitor, site):
    hosted.allow(visitor, redirect_uri=HOSTED)
    assert boxes(Visitor(site, "root").open(hosted.url(redirect_uri=HOSTED))) == ["notes:read"]


@pytest.mark.requirement("AZ-9")
def test_a_loopback_client_is_always_asked_about(flow, visitor):
    flow.register()
    flow.allow(visitor)
    page = visitor.open(flow.url())
    assert groups(page) == {"Already allowed on this device": ["notes:read"]}
    assert "asks to go on using" in page.text


@pytest.mark.requirement("AZ-9")
def test_prompt_consent_shows_the_page_with_what_is_granted_already(hosted, visitor):
    hosted.allow(visitor, redirect_uri=HOSTED)
    page = visitor.open(hosted.url(redirect_uri=HOSTED, prompt="consent"))
    assert groups(page) == {"Already allowed on this device": ["notes:read"]}


@pytest.mark.requirement("AZ-14")
def test_the_new_stands_beside_what_is_allowed_already_even_if_only_the_new_is_asked_for(flow, visitor):
    flow.register()
    flow.allow(visitor)
    page = visitor.open(flow.url(scope="notes:write"))
    assert groups(page) == {
        "New: what it asks for now": ["notes:write"],
        "Already allowed on this device": ["notes:read"],
    }


@pytest.mark.requirement("AZ-14")
def test_a_destructive_scope_joins_only_if_it_is_asked_for(flow, visitor):
    flow.register()
    flow.allow(visitor, scope="notes:read notes:delete")
    page = visitor.open(flow.url(scope="notes:read"))
    assert boxes(page) == ["notes:read"]
    assert "not part of this: Delete notes" in words(page)
    assert set(boxes(visitor.open(flow.url(scope="notes:delete")))) == {"notes:read", "notes:delete"}


@pytest.mark.requirement("AZ-14")
def test_another_device_begins_with_nothing(flow, visitor, site):
    flow.register()
    flow.allow(visitor)
    assert groups(Visitor(site).open(flow.url())) == {"What it asks for": ["notes:read"]}


@pytest.mark.requirement("AZ-13")
def test_somebody_else_switches_the_account_from_the_page_and_loses_nothing(flow, visitor):
    flow.register()
    page = visitor.open(flow.url(scope=ALL))
    switch = next(form for form in forms(page) if ("next", flow.url(scope=ALL)) in form.fields)
    assert "Not you? Switch account" in page.text
    sign_in = visitor.submit(page, switch, {})
    form = next(form for form in forms(sign_in) if "password" in form.names())
    again = visitor.submit(sign_in, form, {"username": "root", "password": PASSWORD})
    assert "Root (root)" in words(again)
    assert boxes(again) == ALL.split()


@pytest.mark.requirement("AZ-10", "AZ-13")
def test_a_page_from_before_the_account_was_switched_decides_nothing_for_the_other(flow, visitor, site):
    flow.register()
    page = visitor.open(flow.url())
    visitor.submit(page, next(form for form in forms(page) if form.action == "/sign-out"), {})
    visitor.username = "root"
    visitor.open("/account/connections")
    form = next(form for form in forms(page) if "decision" in form.names())
    again = visitor.submit(page, form, {"decision": "allow", "scope": boxes(page)})
    assert again.status_code == 400
    assert "out of date" in again.text
    assert "Root (root)" in words(again)
    assert not site.deployment.stores.grants.page(flow.values["client_id"], None, 10).lines


@pytest.mark.requirement("AZ-8")
def test_a_first_time_has_a_badge_at_the_name_of_the_app(flow, visitor):
    flow.register()
    page = visitor.open(flow.url())
    assert re.search(r'badge care">first time<', page.text)
    visitor.decide(flow.url())
    assert 'badge care">first time' not in visitor.open(flow.url()).text
