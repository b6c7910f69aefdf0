"""What a person does on the pages, by the words that they read."""

from playwright.sync_api import Page

from tests.conformance.site import PASSWORD


def sign_in(page: Page, username: str = "ada", password: str = PASSWORD) -> None:
    """Fill in the sign-in form."""
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def untick(page: Page, words: str) -> None:
    """Take the tick from the scope that is described by *words*."""
    page.get_by_role("checkbox", name=words).uncheck()


def allow(page: Page) -> None:
    """Press the button."""
    page.get_by_role("button", name="Allow").click()


def deny(page: Page) -> None:
    """Press the other button."""
    page.get_by_role("button", name="Deny").click()
