"""One round trip without a screen: off to a provider that may lie, and back."""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from werkzeug.test import Client, TestResponse

from authserver.store.audit import AuditFilter
from tests.conformance.site import Site
from tests.conformance.visitor import forms

from .liar import CODE, Liar

CLIENT_ID = "us"


@dataclass
class Journey:
    """A browser (``http``) that was sent off: ``asked`` is what the provider was asked for."""

    http: Client
    liar: Liar
    asked: dict[str, str]
    upstream: str = "liar"
    subject: str = "s-1"

    def claims(self, **changes: Any) -> dict[str, Any]:
        """What an honest provider says of somebody to this request; a change to None leaves a claim out."""
        now = int(time.time())
        said = {"iss": self.liar.issuer, "sub": self.subject, "aud": CLIENT_ID, "iat": now, "exp": now + 60, **changes}
        said = {"nonce": self.asked.get("nonce"), **said}
        return {name: value for name, value in said.items() if value is not None}

    def back(self, **changes: str | None) -> TestResponse:
        """The provider sends the browser back, with *changes* to what it says."""
        said = {"code": CODE, "state": self.asked["state"], **changes}
        query = {name: value for name, value in said.items() if value is not None}
        return self.http.get(f"/sign-in/from/{self.upstream}", query_string=query)


def begin(
    http: Client, liar: Liar, page: str = "/sign-in", upstream: str = "liar", field: str = "upstream", *, tick: str = ""
) -> Journey:
    """Press the button of *upstream* on *page*, with the box of the name *tick* ticked."""
    shown = http.get(page)
    form = next(each for each in forms(shown) if (field, upstream) in each.buttons)
    ticked = {name: value for name, value in form.boxes if name == tick}
    answer = http.post(page, data={**dict(form.fields), **ticked, field: upstream})
    assert answer.status_code == 303, answer.text
    return Journey(http, liar, dict(parse_qsl(urlsplit(answer.location).query)), upstream)


def is_signed_in(http: Client) -> bool:
    return "You are signed in as" in http.get("/").text


def refused(site: Site) -> str:
    """Why the newest sign-in was refused, by the trail."""
    lines = site.deployment.stores.audit.page(AuditFilter(name="sign_in.failed"), None, 1).lines
    return lines[0].event.detail["why"] if lines else ""


def check_refused(site: Site, journey: Journey, why: str = "NotBelieved", status: int = 502) -> None:
    """That *journey* ends on a page, with nobody signed in and no account."""
    answer = journey.back()
    assert answer.status_code == status, answer.text
    assert answer.location is None
    assert "Reference:" in answer.text
    assert why == "Down" or refused(site) == why  # an outage is nobody's attempt
    assert not is_signed_in(journey.http)
    assert site.deployment.stores.identities.find(journey.liar.issuer, journey.subject) is None
