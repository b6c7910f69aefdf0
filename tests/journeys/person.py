"""A person at a real Chromium: signs in, reads the consent page, decides."""

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, expect

from .client import Decide
from .stage import Account, Stage

PATIENCE_MS = 30_000


class Person:
    """Someone with a browser of their own: a device, as grants know it."""

    def __init__(self, browser: Browser, stage: Stage, account: Account, *, trusting: bool = False) -> None:
        """A *trusting* browser takes any certificate."""
        self.stage = stage
        self.account = account
        self.context: BrowserContext = browser.new_context(ignore_https_errors=trusting)
        self.context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self.context.new_page()

    def open(self, url: str) -> None:
        """Go to *url*, and sign in where asked."""
        self.page.goto(url)
        if self.page.get_by_label("Password").count():
            self.page.get_by_label("User name").fill(self.account.username)
            self.page.get_by_label("Password").fill(self.account.password)
            self.page.get_by_role("button", name="Sign in").click()

    def allow(self, url: str) -> None:
        """Allow what the page at *url* asks for."""
        self.open(url)
        self._press("Allow")

    def allow_without(self, *scopes: str) -> Decide:
        """A decision: allow, but untick *scopes*."""

        def decide(url: str) -> None:
            self.open(url)
            for scope in scopes:
                self.page.locator(f"input[name=scope][value='{scope}']").uncheck()
            self._press("Allow")

        return decide

    def deny(self, url: str) -> None:
        """Deny it."""
        self.open(url)
        self._press("Deny")

    def step_up(self, new: Iterable[str], standing: Iterable[str]) -> Decide:
        """A decision: allow, after seeing that *new* stands out beside what is *standing* already."""

        def decide(url: str) -> None:
            self.open(url)
            assert self._scopes_under("New: what it asks for now") == set(new)
            assert self._scopes_under("Already allowed on this device") == set(standing)
            self._press("Allow")

        return decide

    def allow_after(self, act: Callable[[Page], None]) -> Decide:
        """A decision: allow, after doing something on the page."""

        def decide(url: str) -> None:
            self.open(url)
            act(self.page)
            self._press("Allow")

        return decide

    def revoke_grant_of(self, client_id: str) -> None:
        """As an administrator: find the one live grant of *client_id* in the console, and revoke it."""
        self.open(f"{self.stage.issuer}/admin")
        self.page.get_by_role("link", name="Grants", exact=True).first.click()
        self.page.get_by_label("Search grants").fill(client_id)
        self.page.get_by_role("button", name="Search").click()
        self.page.get_by_role("link", name="Revoke").click()
        self.page.get_by_role("button", name="Revoke").click()
        expect(self.page.get_by_role("heading", name="Grants")).to_be_visible()

    def _scopes_under(self, legend: str) -> set[str]:
        group = self.page.get_by_role("group", name=legend)
        return {box.get_attribute("value") or "" for box in group.locator("input[name=scope]").all()}

    def _press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()
        self.page.wait_for_url(lambda url: urlsplit(url).netloc != urlsplit(self.stage.issuer).netloc)
