"""A person who has allowed a client something, and what they are asked for again."""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from werkzeug.test import TestResponse, create_environ

from authserver.store.models import AuditRow, CodeRow, SessionRow
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor
from tests.web.pages.factor_owner import Person

HOSTED = "https://app.example/callback?kept=%C3%A9&b=%26"
CODE = re.compile("mcpc_[A-Za-z0-9_-]+")


@dataclass
class Remembered:
    """Bo, who allowed a client something on this browser, and what they are asked for."""

    site: Site
    person: Person
    flow: Flow

    @property
    def visitor(self) -> Visitor:
        return self.person.browser

    def url(self, **changes: str | None) -> str:
        return self.flow.url(**{"redirect_uri": HOSTED, **changes})

    def get(self, url: str, **options: Any) -> TestResponse:
        return self.visitor.http.open(url, base_url=self.visitor.origin, **options)

    def environ(self, url: str, **options: Any) -> dict[str, Any]:
        jar, names = self.visitor.http, ("__Host-session", "__Host-device", "session", "device")
        brought = {name: found.value for name in names if (found := jar.get_cookie(name, domain="localhost"))}
        kept = "; ".join(f"{name}={value}" for name, value in brought.items())
        headers = {"Cookie": kept, "Host": "evil.example"}
        return create_environ(url, self.visitor.origin, headers=headers, **options)

    def at_once(self, url: str, **options: Any) -> Any:
        """What is answered without Flask, and None for what is left to it."""
        front, environ = self.site.app.extensions["authserver.front"], self.environ(url, **options)
        front._settle(environ)
        return front._at_once.answer(environ)

    def written(self) -> tuple[int, ...]:
        """How many codes and events there are."""
        with self.site.deployment.stores.database.reading() as connection:
            counts = [connection.scalar(select(func.count()).select_from(row)) for row in (CodeRow, AuditRow)]
        return tuple(map(int, counts))

    def age(self, seconds: int) -> None:
        with self.site.deployment.stores.database.transaction() as connection:
            theirs = update(SessionRow).where(SessionRow.user_id == self.person.user.id)
            connection.execute(theirs.values(auth_time=SessionRow.auth_time - seconds))


def remember(site: Site, **asked: str) -> Remembered:
    found = Remembered(site, Person(site), Flow(site))
    found.flow.register({**PUBLIC, "redirect_uris": [HOSTED]})
    assert "code" in found.flow.answer(found.visitor.decide(found.url(**asked)))
    return found
