"""The application in this process, with people and MCP servers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import Client, TestResponse

from authserver.app import create_app
from authserver.keys import wrapping
from authserver.protocol.audit import Event
from authserver.protocol.resource import Resource
from authserver.protocol.role import Role
from authserver.protocol.scope import Risk, Scope
from authserver.protocol.tool import Tool
from authserver.services.deployment import Deployment
from authserver.settings import Settings
from authserver.store.migrate import upgrade
from tests.sealing import wait_until_finished

ISSUER = "http://localhost:9000"
PASSWORD = "a password for tests"
NOTES = Resource(
    "http://localhost:9001/mcp",
    "Notes",
    (
        Scope("notes:read", "See your notes", Risk.READ, is_default=True),
        Scope("notes:write", "Write notes", Risk.WRITE),
        Scope("notes:delete", "Delete notes", Risk.DESTRUCTIVE),
    ),
    (Tool("list_notes", "List notes", ("notes:read",)), Tool("write_note", "Write a note", ("notes:write",))),
    is_default=True,
)
CALENDAR = Resource(
    "https://calendar.example/mcp",
    "Calendar",
    (
        Scope("calendar:read", "See your calendar", Risk.READ, is_default=True),
        Scope("calendar:admin", "Do anything", Risk.WRITE, implies=("calendar:read",)),
    ),
    aliases=("https://calendar.example/sse",),
)


@dataclass(frozen=True)
class Site:
    """The application, and what it is made of."""

    app: Flask
    deployment: Deployment = field(repr=False)

    def http(self) -> Client:
        """A caller with cookies of its own."""
        return self.app.test_client()

    def get(self, path: str, **options: Any) -> TestResponse:
        """GET *path* as a program would."""
        return self.app.test_client(use_cookies=False).get(path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        """POST to *path* as a program would."""
        return self.app.test_client(use_cookies=False).post(path, **options)

    def seal(self) -> None:
        """Seal all that was written so far."""
        wait_until_finished(self.deployment.stores.database)
        self.deployment.sealer.seal()


def create_site(database_url: str, home: Path, **settings: Any) -> Site:
    """Set up the empty database at *database_url*: schema, keys, users ``ada`` and ``root``, two MCP servers."""
    wrapping.create_key_file(home)
    upgrade(database_url)
    app = open_app(database_url, home, **settings)
    found: Deployment = app.extensions["authserver"]
    found.rotation.ensure()
    for username, role in (("ada", Role.MEMBER), ("root", Role.OWNER)):
        hashed = found.sign_in.passwords.hash(PASSWORD)
        found.stores.users.add(username, username.title(), hashed, role, Event("user.added", "system"))
    for resource in (NOTES, CALENDAR):
        found.stores.resources.add(resource, Event("resource.added", "system"))
    return Site(app, found)


def open_site(database_url: str, home: Path, **settings: Any) -> Site:
    """The application over what `create_site` set up; keys are made where *settings* need others."""
    app = open_app(database_url, home, **settings)
    found: Deployment = app.extensions["authserver"]
    found.rotation.ensure()
    return Site(app, found)


def open_app(database_url: str, home: Path, **settings: Any) -> Flask:
    """The application over a database that is set up already; *settings* differ from those of a test."""
    given = {
        "issuer": ISSUER,
        "home": home,
        "database_url": database_url,
        "registrations_per_address": "100000 per minute",
        "hosted_registrations_per_address": "100000 per minute",
        "registration_flood_per_address": "100000 per minute",
        "sign_ins_per_address": "100000 per minute",
        "failures_per_address": "100000 per minute",
        "pages_per_address": "100000 per minute",
        "pages_per_person": "100000 per minute",
        "refreshes_per_grant": "100000 per minute",
        "log_level": "ERROR",
        **settings,
    }
    return create_app(Settings(**given))
