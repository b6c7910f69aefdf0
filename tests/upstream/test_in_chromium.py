"""People at Chromium who sign in with a real provider."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from authserver.protocol.amr import Method
from authserver.protocol.role import Role
from authserver.store.models import SessionRow, UserRow
from authserver.store.user import User
from tests.browser.axe import faults
from tests.browser.scene import EVENT, Scene
from tests.conformance.site import PASSWORD

from .provider import RunningProvider

CONNECTIONS = "/account/connections"
PROVIDERS = "/account/security/providers"


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=button).click()


def sign_in_there(page: Page, subject: str) -> None:
    """Fill in the provider's own form."""
    page.locator("input[name=login]").fill(subject)
    page.locator("input[name=password]").fill("anything")
    page.locator("button[type=submit]").click()


def sign_in_here(page: Page, username: str) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def arrive(page: Page, scene: Scene, subject: str, onwards: str = CONNECTIONS) -> None:
    """Sign in with the company, in a browser that is signed in nowhere."""
    page.goto(f"{scene.issuer}/sign-in?next={onwards}")
    press(page, "Continue with Example Corp")
    sign_in_there(page, subject)


def added(scene: Scene, name: str, **columns: object) -> User:
    """Somebody with a password here."""
    deployment = scene.site.deployment
    hashed = deployment.sign_in.passwords.hash(PASSWORD)
    user = deployment.stores.users.add(name, name.title(), hashed, Role.MEMBER, EVENT)
    with deployment.stores.database.transaction() as connection:
        connection.execute(update(UserRow).where(UserRow.id == user.id).values(**{"role": "member", **columns}))
    return user


def named(scene: Scene, username: str) -> User:
    return scene.site.deployment.stores.users.by_name(username)


def identities(scene: Scene, user: User) -> set[str]:
    return {each.subject for each in scene.site.deployment.stores.identities.of_user(user.id)}


def methods(scene: Scene, user: User) -> tuple[Method, ...]:
    stores = scene.site.deployment.stores
    (session,) = stores.sessions.of_user(user.id, 2)
    return stores.sessions.find(session.digest).methods


@pytest.mark.requirement("AZ-10")
def test_somebody_new_signs_in_with_their_company_and_has_an_account(running: Scene, corp: RunningProvider, page: Page):
    corp.says_of("n-1", email="Nina@Corp.example", email_verified=True, name="Nina N.", groups=["helpers"])
    arrive(page, running, "n-1")
    page.wait_for_url(f"{running.issuer}{CONNECTIONS}")
    expect(page.get_by_text("Nina N.")).to_be_visible()
    found = named(running, "nina@corp.example")
    assert (found.email, found.email_verified_at is not None, found.password_hash) == ("nina@corp.example", True, "")
    assert (found.role, methods(running, found)) == (Role.SUPPORT, (Method.UPSTREAM,))


def test_their_groups_decide_their_role_at_each_sign_in(
    running: Scene, corp: RunningProvider, opened: Callable[[], Page]
):
    said = {"email": "gil@corp.example", "email_verified": True, "name": "Gil"}
    for groups, role in (
        ({"groups": ["auditors", "helpers", "x"]}, Role.AUDITOR),
        ({"groups": "helpers"}, Role.SUPPORT),
        ({}, Role.MEMBER),
    ):
        corp.says_of("g-1", **said, **groups)
        page = opened()
        arrive(page, running, "g-1")
        page.wait_for_url(f"{running.issuer}{CONNECTIONS}")
        assert named(running, "gil@corp.example").role is role


def test_a_proven_address_opens_the_account_that_has_it(running: Scene, corp: RunningProvider, page: Page):
    mira = added(running, "mira", email="mira@corp.example", email_verified_at=1)
    corp.says_of("m-1", email="mira@corp.example", email_verified=True, name="Mira There")
    arrive(page, running, "m-1")
    page.wait_for_url(f"{running.issuer}{CONNECTIONS}")
    expect(page.get_by_text("Mira", exact=True)).to_be_visible()
    assert identities(running, mira) == {"m-1"}


@pytest.mark.parametrize("columns", [{"email": "otto@corp.example"}, {"username": "otto@corp.example"}])
def test_an_account_whose_address_was_never_proven_stays_closed(
    running: Scene, corp: RunningProvider, page: Page, columns: dict[str, str]
):
    otto = added(running, f"otto-{'email' in columns}", **columns)
    corp.says_of("o-1", email="otto@corp.example", email_verified=True)
    arrive(page, running, "o-1", f"{CONNECTIONS}?x=1")
    expect(page.get_by_role("heading", name="There is an account with your address already")).to_be_visible()
    assert not identities(running, otto)
    page.get_by_role("link", name="To the sign-in page").click()
    expect(page).to_have_url(re.compile(r"/sign-in\?next=.*connections"))
    with running.site.deployment.stores.database.transaction() as connection:
        gone = {"email": None, "username": f"gone-{otto.id}"}
        connection.execute(update(UserRow).where(UserRow.id == otto.id).values(**gone))


def test_a_required_claim_that_is_not_there_lets_nobody_in(running: Scene, corp: RunningProvider, page: Page):
    corp.says_of("u-1", email="una@corp.example", email_verified=False)
    arrive(page, running, "u-1")
    expect(page.get_by_role("heading", name="Your account at Example Corp does not open this server")).to_be_visible()
    assert named(running, "una@corp.example") is None


def test_an_address_leads_to_the_provider_of_its_domain(running: Scene, corp: RunningProvider, page: Page):
    corp.says_of("h-1", email="hanna@corp.example", email_verified=True, name="Hanna")
    page.goto(f"{running.issuer}/sign-in")
    page.get_by_label("Work e-mail address").fill("someone@elsewhere.example")
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("no sign-in of their own here")
    page.get_by_label("Work e-mail address").fill("hanna@Corp.example")
    page.get_by_role("button", name="Continue", exact=True).click()
    sign_in_there(page, "h-1")
    page.wait_for_url(f"{running.issuer}/")
    expect(page.get_by_text("You are signed in as Hanna")).to_be_visible()


def test_somebody_links_their_company_and_unlinks_it(running: Scene, corp: RunningProvider, page: Page):
    lena = added(running, "lena")
    corp.says_of("l-1", email="another@corp.example", email_verified=True, name="Lena")
    page.goto(f"{running.issuer}{CONNECTIONS}")
    sign_in_here(page, "lena")
    page.get_by_role("link", name="Security").click()
    page.get_by_role("link", name="Which identity providers open your account").click()
    press(page, "Link Example Corp")
    sign_in_there(page, "l-1")
    page.wait_for_url(f"{running.issuer}{PROVIDERS}")
    expect(page.get_by_text("another@corp.example")).to_be_visible()
    assert identities(running, lena) == {"l-1"}
    press(page, "Unlink Example Corp")
    expect(page.get_by_text("None is linked.")).to_be_visible()
    assert not identities(running, lena)


def test_what_opens_anothers_account_is_not_linked(running: Scene, corp: RunningProvider, opened: Callable[[], Page]):
    corp.says_of("t-1", email="tea@corp.example", email_verified=True, name="Tea")
    first, second = opened(), opened()
    arrive(first, running, "t-1")
    first.wait_for_url(f"{running.issuer}{CONNECTIONS}")
    tom = added(running, "tom")
    second.goto(f"{running.issuer}{PROVIDERS}")
    sign_in_here(second, "tom")
    press(second, "Link Example Corp")
    sign_in_there(second, "t-1")
    expect(second.get_by_role("heading", name="That account belongs to somebody else here")).to_be_visible()
    assert not identities(running, tom)


def test_the_only_way_in_is_not_unlinked(running: Scene, corp: RunningProvider, page: Page):
    corp.says_of("w-1", email="wim@corp.example", email_verified=True, name="Wim")
    arrive(page, running, "w-1", PROVIDERS)
    press(page, "Unlink Example Corp")
    expect(page.get_by_role("alert")).to_contain_text("the only way into your account")
    assert identities(running, named(running, "wim@corp.example")) == {"w-1"}


def test_who_has_no_password_proves_at_the_provider_that_they_are_still_there(
    running: Scene, corp: RunningProvider, page: Page
):
    corp.says_of("a-1", email="ana@corp.example", email_verified=True, name="Ana")
    arrive(page, running, "a-1")
    page.wait_for_url(f"{running.issuer}{CONNECTIONS}")
    with running.site.deployment.stores.database.transaction() as connection:
        connection.execute(update(SessionRow).values(auth_time=SessionRow.auth_time - 601))
    page.goto(f"{running.issuer}{PROVIDERS}")
    press(page, "Sign in again with Example Corp")
    sign_in_there(page, "a-1")
    page.wait_for_url(f"{running.issuer}{PROVIDERS}")
    expect(page.get_by_role("heading", name="Sign-in with providers")).to_be_visible()


def test_signing_out_offers_to_sign_out_there_as_well(running: Scene, corp: RunningProvider, page: Page):
    corp.says_of("s-1", email="sol@corp.example", email_verified=True, name="Sol")
    arrive(page, running, "s-1")
    press(page, "Sign out")
    page.get_by_role("button", name="Sign out at Example Corp").click()
    press(page, "Yes, sign me out")
    page.wait_for_url(f"{running.issuer}/signed-out*")
    page.goto(f"{running.issuer}/sign-in")
    press(page, "Continue with Example Corp")
    expect(page.locator("input[name=login]")).to_be_visible()


def test_who_says_no_there_gets_a_page_and_no_loop(running: Scene, corp: RunningProvider, page: Page):
    page.goto(f"{running.issuer}/sign-in?next={CONNECTIONS}")
    press(page, "Continue with Example Corp")
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="Example Corp did not sign you in")).to_be_visible()


@pytest.mark.requirement("AZ-13")
def test_the_back_button_after_a_sign_in_leads_nowhere_bad(running: Scene, corp: RunningProvider, page: Page):
    corp.says_of("b-1", email="bo@corp.example", email_verified=True, name="Bo")
    came: list[str] = []
    page.on("request", lambda asked: came.append(asked.url) if "/sign-in/from/" in asked.url else None)
    arrive(page, running, "b-1")
    page.wait_for_url(f"{running.issuer}{CONNECTIONS}")
    page.goto(came[0])
    expect(page.get_by_role("heading", name="That sign-in is over")).to_be_visible()
    page.get_by_role("link", name="Go on as Bo").click()
    expect(page.get_by_text("You are signed in as Bo")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_can_be_read_by_everybody(running: Scene, corp: RunningProvider, browser, width: int, scheme: str):
    corp.says_of("q-1", email="quinn@corp.example", email_verified=True, name="Quinn")
    corp.says_of("q-2", email="quinn@elsewhere.example", email_verified=False)
    size = {"width": width, "height": 900}
    context = browser.new_context(ignore_https_errors=True, color_scheme=scheme, viewport=size)
    page = context.new_page()
    page.goto(f"{running.issuer}/sign-in")
    found = faults(page)
    arrive(page, running, "q-2")
    page.wait_for_url("**/sign-in/from/**")
    found += faults(page)
    arrive(page, running, "q-1", PROVIDERS)  # it asks who it is, as the one before was not let in
    page.wait_for_url(f"**{PROVIDERS}")
    found += faults(page)
    page.goto(f"{running.issuer}/sign-in/again")
    found += faults(page)
    press(page, "Sign out")
    found += faults(page)
    context.close()
    assert not found
