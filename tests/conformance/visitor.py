"""A browser without a screen: cookies, links and forms, by the werkzeug client."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2
from werkzeug.test import Client, TestResponse

from .site import PASSWORD, Site

Pairs = list[tuple[str, str]]


@dataclass
class HtmlForm:
    """A form of a page: where it goes, its ``fields``, its ``boxes``, those that are ``checked``, its ``buttons``."""

    action: str
    method: str
    fields: Pairs = field(default_factory=list)
    boxes: Pairs = field(default_factory=list)
    checked: Pairs = field(default_factory=list)
    buttons: Pairs = field(default_factory=list)

    def names(self) -> set[str]:
        """The names of all that can be sent."""
        return {name for name, _ in (*self.fields, *self.boxes, *self.buttons)}


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[HtmlForm] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found: dict[str, str] = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(HtmlForm(found.get("action", ""), found.get("method", "get").lower()))
        elif self.forms and found.get("name"):
            self._take(tag, found)

    def _take(self, tag: str, found: dict[str, str]) -> None:
        form, pair = self.forms[-1], (found["name"], found.get("value", ""))
        if tag == "button" or found.get("type") == "submit":
            form.buttons.append(pair)
        elif found.get("type") == "checkbox":
            form.boxes.append(pair)
            form.checked += [pair] if "checked" in found else []
        elif tag == "input" and (found.get("type") != "radio" or "checked" in found):
            form.fields.append(pair)


def forms(page: TestResponse | httpx2.Response) -> list[HtmlForm]:
    """The forms of *page*."""
    parser = _Forms()
    parser.feed(page.text)
    return parser.forms


class Visitor:
    """Someone at a browser. Each has cookies of their own, so each is a device of their own."""

    def __init__(self, site: Site, username: str = "ada") -> None:
        self.http: Client = site.http()
        self.username = username
        parts = urlsplit(site.deployment.settings.issuer)
        self.origin = f"{parts.scheme}://{parts.netloc}"

    def open(self, url: str) -> TestResponse:
        """Go to *url* and follow redirects within the server, signing in where asked."""
        page = self._follow(self._get(url))
        login = next((form for form in forms(page) if "password" in form.names()), None)
        if login is None:
            return page
        return self.submit(page, login, {"username": self.username, "password": PASSWORD})

    def submit(self, page: TestResponse, form: HtmlForm, filled: dict[str, Any]) -> TestResponse:
        """Send *form* of *page* with *filled* in place of its own values; follow redirects within the server."""
        sent: dict[str, Any] = {}
        for name, value in form.fields:
            if name not in filled:
                sent.setdefault(name, []).append(value)
        target = local(urljoin(page.request.url, form.action or page.request.full_path))
        headers = {"Referer": page.request.url, "Origin": self.origin}
        return self._follow(self.http.post(target, base_url=self.origin, data={**sent, **filled}, headers=headers))

    def decide(
        self,
        url: str,
        decision: str = "allow",
        scopes: set[str] | None = None,
        tools: set[str] | None = None,
        filled: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Open an authorization request and answer its consent page, if there is one.

        *scopes* and *tools* None: all that there are; *filled* are other fields.
        """
        page = self.open(url)
        consent = next((form for form in forms(page) if "decision" in form.names()), None)
        if consent is None:
            return page
        return self.submit(page, consent, {"decision": decision, **_ticked(consent, scopes, tools), **(filled or {})})

    def accept(self, url: str) -> TestResponse:
        """Open an authorization request and allow what its page proposes, if there is one."""
        page = self.open(url)
        consent = next((form for form in forms(page) if "decision" in form.names()), None)
        if consent is None:
            return page
        ticked = {kind: [value for name, value in consent.checked if name == kind] for kind in ("scope", "tool")}
        ticked["tool"] += [value for name, value in consent.fields if name == "tool"]
        return self.submit(page, consent, {"decision": "allow", **ticked})

    def _get(self, url: str) -> TestResponse:
        return self.http.get(local(url), base_url=self.origin)

    def _follow(self, answer: TestResponse) -> TestResponse:
        while answer.status_code in {301, 302, 303, 307, 308} and self._is_here(answer.location):
            answer = self._get(answer.location)
        return answer

    def _is_here(self, location: str) -> bool:
        return location.startswith(("/", f"{self.origin}/"))


def _ticked(consent: HtmlForm, scopes: set[str] | None, tools: set[str] | None) -> dict[str, list[str]]:
    offered = [*consent.boxes, *(pair for pair in consent.fields if pair[0] == "tool")]
    wanted = {"scope": scopes, "tool": tools}
    return {
        kind: [value for name, value in offered if name == kind and (chosen is None or value in chosen)]
        for kind, chosen in wanted.items()
    }


def local(url: str) -> str:
    """Path and query of *url*, as the test client wants them."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")
