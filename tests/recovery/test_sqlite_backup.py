"""The backup of SQLite that docs/recovery.md shows, made beside a server that writes, and restored."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import commanded, typed
from tests.conformance.flow import Flow
from tests.conformance.site import create_site, open_site
from tests.conformance.visitor import Visitor

PAGE = Path(__file__).parents[2] / "docs" / "recovery.md"


@pytest.fixture
def home(tmp_path: Path, pytestconfig: pytest.Config) -> Path:
    if pytestconfig.getoption("database") != "sqlite":
        pytest.skip("about SQLite's own backups")
    return tmp_path


def test_a_backup_is_whole_and_after_recovery_nothing_lives_that_ended_since(home: Path, monkeypatch):
    file, backup = home / "authserver.sqlite3", home / "backup.sqlite3"
    lived = create_site(f"sqlite:///{file}", home)
    flow = Flow(lived)
    flow.tokens(Visitor(lived))
    shown = re.search(r'sqlite3 var/authserver.sqlite3 "(.*)"', PAGE.read_text("utf-8"))[1]
    with closing(sqlite3.connect(file)) as beside:
        beside.execute(shown.replace("backup.sqlite3", str(backup)))
    form = {"token": flow.values["refresh_token"], "client_id": flow.values["client_id"]}
    assert lived.post("/revoke", data=form).status_code == 200
    lived.deployment.stores.database.close()

    site = open_site(f"sqlite:///{backup}", home)
    commanded(site, monkeypatch)
    again = Flow(site, flow.values)
    assert again.refresh().status_code == 200, "a restore alone lets it live again"
    assert typed("recover", "--yes").exit_code == 0
    assert again.refresh().json["error"] == "invalid_grant"
    assert Flow(site).tokens(Visitor(site))["token_type"] == "Bearer"
    site.seal()
    verified = typed("audit", "verify")
    assert verified.exit_code == 0, verified.output
    site.deployment.stores.database.close()
