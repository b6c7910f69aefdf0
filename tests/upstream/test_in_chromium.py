"""People at Chromium who sign in with a real provider."""

import re

from playwright.sync_api import Page, expect

from tests.browser.scene import Scene

from .provider import RunningProvider


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=button).click()


def sign_in_there(page: Page, subject: str) -> None:
    """Fill in the provider's own form."""
    page.locator("input[name=login]").fill(subject)
    page.locator("input[name=password]").fill("anything")
    page.locator("button[type=submit]").click()


def test_somebody_new_signs_in_with_their_company_and_has_an_account(running: Scene, corp: RunningProvider, page: Page):
    corp.says_of("n-1", email="Nina@Corp.example", email_verified=True, name="Nina N.")
    page.goto(f"{running.issuer}/sign-in?next=/account/connections")
    press(page, "Continue with Example Corp")
    sign_in_there(page, "n-1")
    page.wait_for_url(f"{running.issuer}/account/connections")
    expect(page.get_by_text("Nina N.")).to_be_visible()
    found = running.site.deployment.stores.users.by_name("nina@corp.example")
    assert (found.email, found.email_verified_at is not None, found.password_hash) == ("nina@corp.example", True, "")
    assert re.match(r"[A-Za-z0-9_-]{22}$", found.id)
