"""Secrets of all kinds go through real requests, many of which fail, and nothing that operators read has any."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Executable, text, update

from authserver.store.models import SigningKeyRow
from tests.conformance.site import Site, open_app, open_site

from .secrets import Carrier

METRICS = "the token of whoever scrapes"
TABLES = ("authorization_codes", "refresh_tokens", "users", "sessions", "clients", "audit_events", "resources")
BROKEN_KEYS = update(SigningKeyRow).values(sealed_private=b"nothing that was sealed")


@pytest.fixture
def telling(databases: Any, set_up: tuple[str, Path], tmp_path: Path) -> Any:
    """Makes an application that tells all that it can, over a database that the test may break.

    It is made in the test: only there the log goes where the test reads it.
    """
    url = databases.create(set_up[0])
    shutil.copytree(set_up[1], tmp_path / "home")
    made: list[Site] = []

    def make() -> Site:
        made.append(open_site(url, tmp_path / "home", **TELLING))
        return made[0]

    yield make
    made[0].deployment.stores.database.close()
    databases.drop(url)


TELLING = {"access_log": True, "log_level": "DEBUG", "metrics_token": METRICS}


def again(site: Site) -> Site:
    """Another process over the same database."""
    settings = site.deployment.settings
    app = open_app(settings.database_url, settings.home, **TELLING)
    return Site(app, app.extensions["authserver"])


def write(site: Site, *statements: Executable) -> None:
    with site.deployment.stores.database.transaction() as connection:
        for statement in statements:
            connection.execute(statement)


def test_no_secret_is_in_what_operators_read_whatever_fails(telling, capsys):
    carrier = Carrier(site := telling())
    carrier.go_well()
    carrier.go_wrong()
    well = len(carrier.answers)
    write(site, BROKEN_KEYS)
    carrier.move(again(site))
    carrier.go_wrong()
    write(site, *(text(f"ALTER TABLE {table} RENAME TO {table}_gone") for table in TABLES))
    carrier.go_wrong()
    scraped = site.get("/metrics", headers={"Authorization": f"Bearer {METRICS}"}).text
    carrier.site.deployment.stores.database.close()
    logged = capsys.readouterr().err
    pages = "\n".join(answer.text for answer in carrier.answers[well:] if answer.status_code >= 400)
    lines = [json.loads(line) for line in logged.splitlines()]
    assert {"request", "request refused", "request failed"} <= {line["event"] for line in lines}
    assert any("Traceback" in line.get("exception", "") for line in lines)
    assert any(answer.status_code >= 500 for answer in carrier.answers)
    for kind, secret in {**carrier.known, "metrics": METRICS}.items():
        assert len(secret) > 8, kind
        # A form comes back with the name that its person typed.
        shown = {"pages of errors": pages} if kind != "password as name" else {}
        for where, found in {"log": logged, "metrics": scraped, **shown}.items():
            assert secret not in found, f"{kind} in the {where}: {around(found, secret)}"


def around(found: str, secret: str) -> str:
    """Where a secret was found."""
    at = found.find(secret)
    return found[max(0, at - 300) : at + 100]


def test_a_line_tells_of_a_request_what_it_was_and_how_it_ended(telling, capsys):
    carrier = Carrier(site := telling())
    carrier.go_well()
    site.post("/token", data={"grant_type": "refresh_token", "refresh_token": "none"})
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    refreshed = next(line for line in requests if line.get("grant") == "refresh_token" and line["status"] == 200)
    assert refreshed["client_id"] == carrier.flow.values["client_id"]
    assert (refreshed["method"], refreshed["route"]) == ("POST", "token")
    assert refreshed["duration_ms"] > 0
    refused = requests[-1]
    assert (refused["status"], refused["error"]) == (401, "invalid_client")
    assert "client_id" not in refused
    assert (
        refused["correlation_id"]
        == next(line for line in lines if line["event"] == "request refused")["correlation_id"]
    )
    assert {line["route"] for line in requests} >= {"/authorize", "/sign-in", "register", "api"}
    assert not [line for line in requests if "?" in line["route"]]


def test_without_the_setting_there_are_no_lines_of_requests(site_with, capsys):
    site_with(log_level="DEBUG").get("/jwks")
    assert '"event": "request"' not in capsys.readouterr().err
