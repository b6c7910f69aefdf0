"""The console's pages as an owner opens them: each with its database's queries and the time that it took."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from flask import Flask
from sqlalchemy import event
from werkzeug.test import Client

from authserver.protocol.audit import Origin
from authserver.services.deployment import Deployment
from authserver.store.database import Database
from authserver.store.lane import Lane

from .contestant import BenchError

# Page → the queries with which it is opened. One that is not here is opened without any.
QUERIES: Mapping[str, Sequence[str]] = {
    "/admin/alert/dismiss": ("id={alert}",),
    "/admin/approval/approve": ("kind=client&id={waiting}",),
    "/admin/approval/deny": ("kind=client&id={waiting}",),
    "/admin/approvals": ("", "kind=grant", "kind=change"),
    "/admin/audit": (
        "", "name=key.rotated", "name=token.refreshed", "name=never.happened", "user={user_id}", "client={client}",
        "client={popular}", "grant={grant_id}", "person={username}", "outcome=refused", "reference=nothing",
        "after={event}.",
    ),
    "/admin/calls": ("", "client={client}", "client={popular}", "server={resource}", "tool=list_notes", "tool=nothing"),
    "/admin/client": ("id={client}", "id={popular}"),
    "/admin/client/delete": ("id={client}", "id={popular}"),
    "/admin/client/secret": ("id={secretive}",),
    "/admin/client/suspend": ("id={client}",),
    "/admin/clients": (
        "", "only=waiting", "only=changed", "q=Editor", "q={name}", "q={client}", "q=popular.example", "q=zz",
        "q=nothing%20like%20it", "after={moment}.client-1",
    ),
    "/admin/clients/group": ("id={likeness}",),
    "/admin/clients/group/delete": ("id={likeness}",),
    "/admin/domain": ("", "id=vendor.example"),
    "/admin/grant": ("id={grant_id}",),
    "/admin/grant/family/revoke": ("id={family}",),
    "/admin/grant/revoke": ("id={grant_id}&user={user_id}",),
    "/admin/grants": (
        "", "q={username}", "q={client}", "q={popular}", "q=Editor", "q=localhost", "q=nothing%20like%20it",
        "scope=notes:read", "person={username}", "client={popular}", "server={resource}", "show=live",
        "after={moment}.grant-1",
    ),
    "/admin/grants/revoke": ("user={user_id}", "client={client}", "client={popular}", "server={resource}"),
    "/admin/invitation/withdraw": ("id={invitation}",),
    "/admin/people": ("", "q={username}", "q=person", "q=nothing%20like%20it", "after={moment}.user-1"),
    "/admin/key/withdraw": ("id={kid}",),
    "/admin/person": ("id={user_id}",),
    "/admin/person/disable": ("id={user_id}",),
    "/admin/person/factors": ("id={user_id}",),
    "/admin/person/groups": ("id={user_id}",),
    "/admin/person/role": ("id={user_id}",),
    "/admin/groups": ("", "name=staff"),
    "/admin/policies": ("", "user={username}&client={client}&server={resource}"),
    "/admin/policies/requests": ("", "only=denied"),
    "/admin/policies/request/withdraw": ("id={wanted}",),
    "/admin/server": ("id={resource}",),
    "/admin/server/agree": ("id={resource}",),
    "/admin/server/edit": ("id={resource}",),
    "/admin/server/examine": ("id={resource}",),
    "/admin/server/suspend": ("id={resource}",),
    "/admin/session/end": ("user={user_id}&id={session}",),
    "/admin/sessions/end": ("id={user_id}",),
    "/admin/trace": ("id={trace}",),
    "/admin/traces": ("", "show=all", "person={username}", "client={client}"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Visited:
    """A page once opened: its status, how many queries it did, and how long it took in milliseconds."""

    status: int
    queries: int
    milliseconds: float


def addresses(app: Flask, known: Mapping[str, object]) -> list[str]:
    """The console's pages, with the queries that lead to what is *known*, by its name in `QUERIES`."""
    pages = sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("admin.") and "GET" in (rule.methods or ()) and not rule.arguments
    )
    found = [(page, query.format(**known)) for page in pages for query in QUERIES.get(page, ("",))]
    return [f"{page}?{query}" if query else page for page, query in found]


def owner(app: Flask, username: str) -> Client:
    """The browser of the person of that name, who has just signed in."""
    deployment: Deployment = app.extensions["authserver"]
    user = deployment.stores.users.by_name(username)
    if user is None:
        raise BenchError(f"there is nobody called {username}")
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = deployment.sessions.open(user, Origin("127.0.0.1", "bench"), "bench")
        session["_fresh"] = True
    return browser


def visit(app: Flask, browser: Client, address: str) -> Visited:
    """Open *address* once."""
    database = app.extensions["authserver"].stores.database
    with counted(database) as queries:
        began = time.perf_counter()
        answer = browser.get(address)
        took = time.perf_counter() - began
    return Visited(answer.status_code, len(queries), took * 1000)


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that *database* is asked meanwhile, but for the epoch's: that is read once a second at most."""
    found: list[str] = []

    def note(connection: object, cursor: object, statement: str, *others: object) -> None:
        if not statement.startswith("BEGIN") and "FROM config_epoch" not in statement:
            found.append(statement)

    one_row = Lane.one_row

    def note_one_row(lane: Lane, statement: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as it returns
        found.append(statement)
        return one_row(lane, statement, parameters)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        with patch.object(Lane, "one_row", note_one_row):
            yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
