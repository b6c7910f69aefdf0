"""The ways to administer a running deployment: in the console, by the API, by command. Each does the same acts."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import httpx2
from playwright.sync_api import Browser, expect

from authserver.protocol.role import Permission, Role

from .person import Person
from .stage import Account, Stage


def account(stage: Stage, role: Role, name: str = "") -> Account:
    """A new person who has that role."""
    username = f"{role}-{secrets.token_hex(4)}"
    said = stage.authserver("user", "add", username, "--name", name or f"Some {role}", "--role", role)
    return Account(username, said.rstrip().rpartition("password: ")[2])


class Way(Protocol):
    """How somebody administers."""

    def approve(self, client_id: str) -> None:
        """Find the client of that id among those that wait, and approve it."""

    def whose(self, client_id: str) -> list[str]:
        """Who has granted it something that lives: their names or user names."""

    def revoke(self, client_id: str) -> None:
        """Revoke the one grant of that client."""

    def disable(self, username: str) -> None:
        """Lock that person out."""

    def close(self) -> None:
        """Let go of what it needs open."""


@dataclass(frozen=True)
class Console:
    """In Chromium."""

    person: Person

    def open(self, tab: str) -> None:
        """Open the console, and go to that part of it."""
        self.person.open(f"{self.person.stage.issuer}/admin")
        self.person.page.get_by_role("navigation").get_by_role("link", name=tab, exact=True).click()

    def search(self, what: str, text: str) -> None:
        """Search the list of *what*."""
        self.person.page.get_by_label(f"Search {what}").fill(text)
        self.person.page.get_by_role("button", name="Search").click()

    def press(self, button: str, question: str) -> None:
        """Press what acts on what is shown, and again after the page's *question*."""
        page = self.person.page
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(question)
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.get_by_role("heading", level=1)).not_to_have_text(question)

    def client(self, client_id: str) -> None:
        """Go to the page of that client, by the list."""
        self.open("Clients")
        self.search("clients", client_id)
        self.person.page.locator(f'a[href$="{client_id}"]').first.click()

    def approve(self, client_id: str) -> None:
        """See `Way`."""
        self.open("Clients")
        page = self.person.page
        page.get_by_role("link", name="waiting for approval").click()
        page.locator(f'a[href$="{client_id}"]').first.click()
        self.press("Approve", "Approve this client?")

    def whose(self, client_id: str) -> list[str]:
        """See `Way`."""
        self.open("Grants")
        self.search("grants", client_id)
        rows = self.person.page.get_by_role("row").filter(has=self.person.page.get_by_role("link", name="Revoke"))
        return rows.all_inner_texts()

    def revoke(self, client_id: str) -> None:
        """See `Way`."""
        self.person.revoke_grant_of(client_id)

    def disable(self, username: str) -> None:
        """See `Way`."""
        self.open("People")
        self.search("people", username)
        page = self.person.page
        page.get_by_role("row").filter(has_text=username).get_by_role("link").first.click()
        self.press("Disable", "Disable this person?")
        expect(page.get_by_text("disabled: cannot sign in, and holds nothing")).to_be_visible()

    def close(self) -> None:
        """See `Way`."""
        self.person.context.close()


@dataclass(frozen=True)
class Api:
    """By programs, as docs/api.md tells."""

    http: httpx2.Client

    @classmethod
    def of(cls, stage: Stage) -> "Api":
        """A machine that may do what an administrator may."""
        stage.authserver("api", "enable")
        resource = f"{stage.issuer}/api/v1"
        scopes = " ".join(f"admin:{each}" for each in Permission)
        said = stage.authserver("client", "add", "Night job", "--allow", f"{resource}={scopes}")
        made = dict(line.split(": ") for line in said.splitlines())
        form = {"grant_type": "client_credentials", "resource": resource}
        proof = (made["client_id"], made["client_secret"])
        token = httpx2.post(f"{stage.issuer}/token", data=form, auth=proof).json()["access_token"]
        return cls(httpx2.Client(base_url=resource, headers={"Authorization": f"Bearer {token}"}, timeout=30))

    def approve(self, client_id: str) -> None:
        """See `Way`."""
        assert client_id in [each["client_id"] for each in self._get("/approvals")["items"]]
        seen = self.http.get("/approval", params={"id": client_id}).headers["ETag"]
        self._post("/approval/approve", id=client_id, headers={"If-Match": seen})

    def whose(self, client_id: str) -> list[str]:
        """See `Way`."""
        return [each["username"] for each in self._grants(client_id)]

    def revoke(self, client_id: str) -> None:
        """See `Way`."""
        (grant,) = self._grants(client_id)
        self._post("/grant/revoke", id=grant["id"])

    def disable(self, username: str) -> None:
        """See `Way`."""
        (person,) = self._get("/people", q=username)["items"]
        self._post("/person/disable", id=person["id"])

    def close(self) -> None:
        """See `Way`."""
        self.http.close()

    def _grants(self, client_id: str) -> list[dict[str, Any]]:
        return [each for each in self._get("/grants", q=client_id)["items"] if each["revoked_at"] is None]

    def _get(self, path: str, **query: Any) -> Any:
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _post(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> None:
        answer = self.http.post(path, params=query, headers=headers)
        assert answer.status_code in {200, 204}, answer.text


@dataclass(frozen=True)
class Command:
    """By the ``authserver`` command alone."""

    stage: Stage

    def approve(self, client_id: str) -> None:
        """See `Way`."""
        assert client_id in [each["client_id"] for each in self._told("client", "list", "--pending")]
        self.stage.authserver("client", "approve", client_id)

    def whose(self, client_id: str) -> list[str]:
        """See `Way`."""
        return [each["username"] for each in self._grants(client_id)]

    def revoke(self, client_id: str) -> None:
        """See `Way`."""
        (grant,) = self._grants(client_id)
        self.stage.at_once("grant", "revoke", grant["id"])

    def disable(self, username: str) -> None:
        """See `Way`."""
        self.stage.at_once("user", "disable", username)

    def close(self) -> None:
        """See `Way`: nothing."""

    def _grants(self, client_id: str) -> list[dict[str, Any]]:
        return [each for each in self._told("grant", "list", "--search", client_id) if each["revoked_at"] is None]

    def _told(self, *arguments: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stage.authserver(*arguments, "--json").splitlines()]


def console_of(role: Role) -> Callable[[Stage, Browser], Way]:
    """In the console, as somebody who has *role*."""
    return lambda stage, browser: Console(Person(browser, stage, account(stage, role)))


WAYS: dict[str, Callable[[Stage, Browser], Way]] = {
    "console as owner": console_of(Role.OWNER),
    "console as admin": console_of(Role.ADMIN),
    "API": lambda stage, browser: Api.of(stage),
    "command": lambda stage, browser: Command(stage),
}
