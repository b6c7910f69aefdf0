"""Passkeys in Chromium: added on a person's own page, enough alone, and good for nobody else."""

import hashlib

import pytest
from playwright.sync_api import expect

from authserver.protocol import credential
from authserver.protocol.amr import Method
from authserver.protocol.audit import Event
from authserver.protocol.role import Role
from authserver.store.audit import AuditFilter
from tests.conformance.site import PASSWORD

from .authenticator import Authenticator
from .person import sign_in

FACTORS = "/account/security/factors"
NO_OFFER = "PublicKeyCredential.isConditionalMediationAvailable = async () => false"
"""A browser that offers no passkeys among names: an authenticator that says yes at once would take the offer."""


@pytest.fixture
def name(running) -> str:
    """The name of somebody of this test's own."""
    deployment, made = running.site.deployment, f"bo-{credential.identifier()[:8].lower()}"
    hashed = deployment.sign_in.passwords.hash(PASSWORD)
    deployment.stores.users.add(made, "Bo", hashed, Role.MEMBER, Event("user.added", "system"))
    return made


@pytest.fixture
def page(page):
    page.add_init_script(NO_OFFER)
    return page


def add_passkey(running, page, name) -> Authenticator:
    """Sign in and add a passkey, kept by an authenticator of *page*'s browser."""
    device = Authenticator(page)
    page.goto(f"{running.issuer}{FACTORS}/passkey")
    sign_in(page, name)
    page.get_by_label("What you call it").fill("My laptop")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading")).to_have_text("Recovery codes")
    return device


def sign_out(running, page) -> None:
    page.goto(f"{running.issuer}/sign-out")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading")).to_have_text("You are signed out")


def use_passkey(page) -> None:
    page.get_by_role("button", name="Use a passkey").click()


def opened_by(running, name: str) -> list[str]:
    """By which methods the newest session of that person was opened."""
    stores = running.site.deployment.stores
    user = stores.users.by_name(name)
    (line, *_) = stores.audit.page(AuditFilter(name="session.opened", user_id=user.id), None, 1).lines
    found: list[str] = line.event.detail["methods"]
    return found


def test_a_passkey_is_added_and_signs_in_alone(running, page, name):
    device = add_passkey(running, page, name)
    (kept,) = device.passkeys()
    assert kept["rpId"] == "localhost"
    page.goto(f"{running.issuer}{FACTORS}")
    expect(page.get_by_text("My laptop")).to_be_visible()
    sign_out(running, page)
    page.goto(f"{running.issuer}/sign-in?next={FACTORS}")
    use_passkey(page)
    expect(page.get_by_text("My laptop")).to_be_visible()
    assert opened_by(running, name) == [Method.POSSESSION, Method.MULTIPLE]


def test_the_browser_offers_it_before_a_name_is_typed(running, opened, name):
    page = opened()
    add_passkey(running, page, name)
    sign_out(running, page)
    page.goto(f"{running.issuer}/sign-in")
    expect(page.get_by_text("You are signed in as")).to_be_visible()
    assert opened_by(running, name) == [Method.POSSESSION, Method.MULTIPLE]


def test_after_the_password_it_is_the_second_step(running, page, name):
    add_passkey(running, page, name)
    sign_out(running, page)
    page.goto(f"{running.issuer}/sign-in")
    sign_in(page, name)
    expect(page.get_by_role("heading")).to_have_text("One more step")
    use_passkey(page)
    expect(page.get_by_text("You are signed in as")).to_be_visible()
    assert opened_by(running, name) == [Method.PASSWORD, Method.POSSESSION, Method.MULTIPLE]


def test_a_browser_stays_after_a_passkey_if_that_was_ticked(running, page, name):
    add_passkey(running, page, name)
    for ticked in (False, True):
        sign_out(running, page)
        page.goto(f"{running.issuer}/sign-in")
        page.get_by_label("Keep me signed in on this device").set_checked(ticked)
        use_passkey(page)
        expect(page.get_by_text("You are signed in as")).to_be_visible()
        page.context.clear_cookies(name="session")
        page.goto(f"{running.issuer}/")
        expect(page.get_by_text("You are signed in as")).to_have_count(int(ticked))
        page.goto(f"{running.issuer}/sign-in")
        if not ticked:
            use_passkey(page)
            expect(page.get_by_text("You are signed in as")).to_be_visible()


@pytest.mark.requirement("AZ-12")
def test_it_opens_an_account_whose_password_is_being_guessed(running, page, name):
    add_passkey(running, page, name)
    sign_out(running, page)
    page.context.clear_cookies()  # a browser that is known has failures of its own alone
    account = hashlib.sha256(name.encode()).hexdigest()
    running.site.deployment.stores.throttles.admit({f"account:{account}": lambda failures: 60})
    page.goto(f"{running.issuer}/sign-in")
    sign_in(page, name)
    expect(page.get_by_text("Too many attempts")).to_be_visible()
    use_passkey(page)
    expect(page.get_by_text("You are signed in as")).to_be_visible()


def test_a_finger_that_is_not_its_persons_opens_nothing(running, page, name):
    device = add_passkey(running, page, name)
    sign_out(running, page)
    page.goto(f"{running.issuer}/sign-in")
    device.set_person_there(False)
    use_passkey(page)
    expect(page.get_by_text("No passkey was used")).to_be_visible()
    page.goto(f"{running.issuer}/")
    expect(page.get_by_text("You are signed in as")).to_have_count(0)


def test_it_is_removed_and_opens_nothing_any_more(running, page, name):
    add_passkey(running, page, name)
    page.goto(f"{running.issuer}{FACTORS}")
    page.get_by_role("button", name="Remove My laptop").click()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("You have none yet")).to_be_visible()
    sign_out(running, page)
    page.goto(f"{running.issuer}/sign-in")
    use_passkey(page)
    expect(page.get_by_text("That passkey does not open this")).to_be_visible()


def test_a_copy_of_a_passkey_is_found_out_by_its_count(running, page, opened, name):
    device = add_passkey(running, page, name)
    (early,) = device.passkeys()
    sign_out(running, page)
    page.goto(f"{running.issuer}/sign-in")
    use_passkey(page)
    expect(page.get_by_text("You are signed in as")).to_be_visible()
    other = opened()
    other.add_init_script(NO_OFFER)
    copy = Authenticator(other)
    copy.keep(early)
    other.goto(f"{running.issuer}/sign-in")
    use_passkey(other)
    expect(other.get_by_text("That passkey does not open this")).to_be_visible()


def test_what_an_answer_was_made_for_it_opens_once(running, page, name):
    """A copy of what the browser sent serves nobody."""
    add_passkey(running, page, name)
    sign_out(running, page)
    page.goto(f"{running.issuer}/sign-in")
    with page.expect_request(lambda sent: sent.method == "POST") as posted:
        use_passkey(page)
    expect(page.get_by_text("You are signed in as")).to_be_visible()
    answer = posted.value.post_data_json["credential"]
    page.context.clear_cookies()
    page.goto(f"{running.issuer}/sign-in")
    page.evaluate(
        "answer => { const form = document.querySelector('form[data-ask]');"
        " form.elements.credential.value = answer; form.submit(); }",
        answer,
    )
    expect(page.get_by_text("That passkey does not open this")).to_be_visible()


def test_without_scripts_the_pages_work_and_show_no_passkey(running, opened, name):
    page = opened(java_script_enabled=False)
    page.goto(f"{running.issuer}{FACTORS}/passkey")
    expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
    sign_in(page, name)
    expect(page.get_by_role("button", name="Make it")).to_be_hidden()
    expect(page.get_by_text("makes no passkeys here")).to_be_visible()
