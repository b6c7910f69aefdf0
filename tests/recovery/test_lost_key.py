"""The key-encryption key is lost: what docs/recovery.md says to do then, done word by word."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from authserver.keys.wrapping import FILE_NAME
from tests.cli.conftest import typed
from tests.database import Databases

PAGE = Path(__file__).parents[2] / "docs" / "recovery.md"
RUNBOOK = "### The key-encryption key is lost\n"
SERVER = "https://n.example/mcp"


def done(*arguments: str) -> str:
    result = typed(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def old(databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The home of a deployment with an owner, a server and a client, which has lost its key."""
    home, url = tmp_path / "old", databases.create()
    monkeypatch.setenv("AUTHSERVER_HOME", str(home))
    monkeypatch.setenv("AUTHSERVER_DATABASE_URL", url)
    done("init")
    done("user", "add", "ada", "--role", "owner")
    done("resource", "add", SERVER, "--name", "N", "--scope", "n:read=Read")
    done("client", "add", "Job", "--id", "job", "--allow", f"{SERVER}=n:read")
    (home / FILE_NAME).unlink()
    yield home
    databases.drop(url)


def test_without_its_key_a_deployment_begins_anew_as_the_runbook_says(
    old: Path, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runbook = PAGE.read_text("utf-8").partition(RUNBOOK)[2]
    export, *others = re.findall(r"^    authserver (.*)$", runbook, re.MULTILINE)
    assert export == "export > clients.yaml"
    exported = typed("export")
    assert exported.exit_code == 0, exported.output
    (tmp_path / "clients.yaml").write_text(exported.stdout)

    new = databases.create()
    with monkeypatch.context() as settings:
        settings.setenv("AUTHSERVER_HOME", str(tmp_path / "new"))
        settings.setenv("AUTHSERVER_DATABASE_URL", new)
        settings.chdir(tmp_path)
        for command, name in zip(others, ("", "ada", "", "bob"), strict=True):
            said = done(*command.replace("NAME", name).replace("ADDRESS", "bob@example.com").split())
            assert ("client_secret (shown this once)" in said) is command.startswith("apply")
        assert done("apply", "clients.yaml") == "nothing to do\n"
        assert "owner" in done("user", "show", "ada")
        assert done("keys", "list").count("signing") == 4
    databases.drop(new)


def test_the_trail_of_a_deployment_without_its_key_is_read_but_not_verified(old: Path) -> None:
    assert "client.added" in done("audit", "list")
    done("audit", "export")
    refused = typed("audit", "verify")
    assert refused.exit_code == 1
    assert "no key-encryption key" in refused.output


def test_no_key_is_made_in_the_place_of_the_one_that_a_database_was_used_with(old: Path) -> None:
    refused = typed("init")
    assert refused.exit_code == 1
    assert "docs/recovery.md" in refused.output
    assert not (old / FILE_NAME).exists()
