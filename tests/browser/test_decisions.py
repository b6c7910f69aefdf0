"""The way of a person through sign-in and consent, in Chromium."""

import pytest
from playwright.sync_api import expect

from tests.conformance.site import PASSWORD

from .chromium import executable
from .person import allow, deny, sign_in, untick

HOSTED = "https://app.example/callback"


def scopes_of(running, client) -> set[str]:
    (grant,) = running.site.deployment.stores.grants.page(client.client_id, None, 9)
    return set(grant.scopes)


@pytest.mark.requirement("AZ-8", "AZ-10", "AZ-11")
def test_signing_in_and_allowing_ends_at_the_app_with_a_code(running, page, app):
    client = running.app("Editor", app.uri)
    page.goto(running.asks(client))
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Editor asks to use Notes")
    expect(page.get_by_role("checkbox", name="See your notes")).to_be_checked()
    allow(page)
    expect(page.get_by_role("heading")).to_have_text("Back in the app")
    (answer,) = app.answers
    assert answer["code"].startswith("mcpc_")
    assert answer["iss"] == running.issuer


@pytest.mark.requirement("AZ-8")
def test_what_a_person_unticks_is_not_granted(running, page, app):
    client = running.app("Editor", app.uri)
    page.goto(running.asks(client, "notes:read notes:write notes:delete"))
    sign_in(page)
    untick(page, "Delete notes")
    allow(page)
    expect(page.get_by_role("heading")).to_have_text("Back in the app")
    assert scopes_of(running, client) == {"notes:read", "notes:write"}


@pytest.mark.requirement("AZ-3")
def test_denying_tells_the_app(running, page, app):
    page.goto(running.asks(running.app("Editor", app.uri)))
    sign_in(page)
    deny(page)
    expect(page.get_by_role("heading")).to_have_text("Back in the app")
    assert [answer["error"] for answer in app.answers] == ["access_denied"]


@pytest.mark.requirement("AZ-9", "AZ-14")
def test_a_step_up_shows_the_new_beside_what_stands(running, page, app):
    client = running.app("Editor", app.uri)
    page.goto(running.asks(client))
    sign_in(page)
    allow(page)
    page.goto(running.asks(client, "notes:write"))
    new = page.get_by_role("group", name="New: what it asks for now").get_by_role("checkbox")
    standing = page.get_by_role("group", name="Already allowed on this device").get_by_role("checkbox")
    expect(new).to_have_count(1)
    expect(standing).to_have_count(1)
    expect(standing).to_be_checked()
    allow(page)
    expect(page.get_by_role("heading")).to_have_text("Back in the app")
    assert scopes_of(running, client) == {"notes:read", "notes:write"}


@pytest.mark.requirement("AZ-11")
def test_the_way_from_a_form_to_an_https_client_is_not_stopped_by_the_policy(running, page, opened):
    client = running.app("Hosted", HOSTED)
    page.goto(running.asks(client))
    sign_in(page)
    with page.expect_request(lambda request: request.url.startswith(HOSTED)) as sent:
        allow(page)
    assert "code=mcpc_" in sent.value.url
    # Remembered: this time it is the sign-in form itself that ends at the client.
    again = opened()
    again.goto(running.asks(client))
    with again.expect_request(lambda request: request.url.startswith(HOSTED)) as sent:
        sign_in(again)
    assert "code=mcpc_" in sent.value.url


@pytest.mark.requirement("AZ-13")
def test_the_back_button_after_a_decision_leads_to_a_page_that_works(running, page, app):
    page.goto(running.asks(running.app("Editor", app.uri)))
    sign_in(page)
    allow(page)
    expect(page.get_by_role("heading")).to_have_text("Back in the app")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Editor asks to")
    allow(page)
    expect(page.get_by_role("heading")).to_have_text("Back in the app")
    assert len({answer["code"] for answer in app.answers}) == 2


@pytest.mark.requirement("AZ-13")
def test_a_double_click_ends_at_the_app(running, page, app):
    page.goto(running.asks(running.app("Editor", app.uri)))
    sign_in(page)
    page.get_by_role("button", name="Allow").dblclick()
    expect(page.get_by_role("heading")).to_have_text("Back in the app")
    assert all("code" in answer for answer in app.answers)


@pytest.mark.requirement("AZ-12")
def test_a_wrong_password_keeps_the_name_and_the_destination(running, page, app):
    page.goto(running.asks(running.app("Editor", app.uri)))
    sign_in(page, password="wrong")
    expect(page.get_by_role("alert")).to_have_text("That name and password do not go together.")
    expect(page.get_by_label("User name")).to_have_value("ada")
    expect(page.get_by_label("Password")).to_have_value("")
    expect(page.get_by_label("Password")).to_be_focused()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Editor asks to use Notes")


def test_somebody_else_can_sign_in_from_the_consent_page(running, page, app):
    page.goto(running.asks(running.app("Editor", app.uri)))
    sign_in(page)
    page.get_by_role("button", name="Not you?").click()
    sign_in(page, "root")
    expect(page.get_by_text("Root (root)")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Editor asks to use Notes")


@pytest.mark.requirement("AZ-2")
def test_an_error_for_an_unknown_host_waits_for_the_persons_click(running, page):
    page.goto(running.asks(running.app("Hosted", HOSTED), code_challenge_method="plain"))
    expect(page.get_by_role("heading", level=1)).to_have_text("The app’s request was refused")
    with page.expect_request(lambda request: request.url.startswith(HOSTED)) as sent:
        page.get_by_role("button", name="Go back to app.example").click()
    assert "error=invalid_request" in sent.value.url
    assert "referer" not in sent.value.headers


def test_the_whole_way_works_by_keyboard(running, page, app):
    client = running.app("Editor", app.uri)
    page.goto(running.asks(client, "notes:read notes:write"))
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Editor asks to use Notes")
    tab_to(page, "Write notes")
    page.keyboard.press("Space")
    tab_to(page, "Allow")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", "focus can be seen"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading")).to_have_text("Back in the app")
    assert scopes_of(running, client) == {"notes:read"}


def tab_to(page, words: str) -> None:
    """Press Tab until the focus is on the control that *words* name."""
    focused = "(document.activeElement.labels?.[0] ?? document.activeElement).innerText"
    for _ in range(20):
        page.keyboard.press("Tab")
        if words in (page.evaluate(focused) or ""):
            return
    raise AssertionError(f"{words} cannot be reached by Tab")


def test_an_administrator_revokes_a_grant(running, opened, app):
    client = running.app("To be revoked", app.uri)
    person, admin = opened(), opened()
    person.goto(running.asks(client))
    sign_in(person)
    allow(person)
    expect(person.get_by_role("heading")).to_have_text("Back in the app")
    admin.goto(f"{running.issuer}/admin")
    sign_in(admin, "root")
    admin.get_by_role("link", name="Grants", exact=True).click()
    admin.get_by_label("Search grants").fill(client.client_id)
    admin.get_by_role("button", name="Search").click()
    admin.get_by_role("link", name="Revoke To be revoked for Ada").click()
    expect(admin.get_by_role("heading", level=1)).to_have_text("Revoke this grant?")
    admin.get_by_role("button", name="Revoke").click()
    admin.goto(f"{running.issuer}/admin/grants?q={client.client_id}")
    expect(admin.get_by_text("ended")).to_be_visible()
    person.goto(running.asks(client))
    expect(person.get_by_role("group", name="What it asks for")).to_be_visible()


def test_without_chromium_the_tests_fail_and_say_what_is_missing(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(AssertionError, match="apt-get install chromium"):
        executable()
