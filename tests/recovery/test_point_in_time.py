"""A base backup, the log archived behind it, and a restore to a moment in between, as docs/recovery.md has it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.chaos.postgres import Postgres
from tests.cli.conftest import commanded, typed
from tests.conformance.flow import Flow
from tests.conformance.site import Site, create_site, open_site
from tests.conformance.visitor import Visitor
from tests.journeys.ports import free_port

ARCHIVING = {"archive_mode": "on", "max_wal_senders": "4"}


@pytest.fixture
def folder(pytestconfig: pytest.Config) -> Iterator[Path]:
    if pytestconfig.getoption("database") != "postgresql":
        pytest.skip("about PostgreSQL's own backups")
    # Straight under the system's temporary files, since the path of a Unix socket has about 100 bytes.
    with TemporaryDirectory(prefix="pitr-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def lived(folder: Path) -> Iterator[Postgres]:
    """A server that archives its log, until it is lost."""
    archive = folder / "archive"
    archive.mkdir()
    archive.chmod(0o777)
    command = f"test ! -f {archive}/%f && cp %p {archive}/%f"
    server = Postgres.new(folder / "data", free_port(), {**ARCHIVING, "archive_command": command})
    server.start()
    yield server
    server.stop()


def url_of(server: Postgres) -> str:
    return f"postgresql+psycopg://postgres@/postgres?host={server.data}&port={server.port}"


def restored(backup: Postgres, archive: Path, moment: object) -> Postgres:
    """The server on *backup*, recovered from the archive up to *moment*."""
    backup.data.joinpath("standby.signal").unlink(missing_ok=True)
    settings = {
        "restore_command": f"cp {archive}/%f %p",
        "recovery_target_time": str(moment),
        "recovery_target_action": "promote",
    }
    backup.data.joinpath("recovery.signal").touch()
    shutil.chown(backup.data / "recovery.signal", backup.data.owner())
    backup.settings = settings
    backup.start()
    return backup


@dataclass(frozen=True)
class Clients:
    """What they know: one was revoked after the moment, one went on after it, one came after it."""

    revoked: dict[str, str]
    rotated: dict[str, str]
    late: dict[str, str]
    rotated_then: str


def live(lived: Postgres, folder: Path) -> tuple[Clients, Postgres, object]:
    """What went on around the moment, up to the loss of the server; with the backup, and the moment."""
    site = create_site(url_of(lived), folder)
    visitor, revoked, rotated, late = Visitor(site), Flow(site), Flow(site), Flow(site)
    revoked.tokens(visitor)
    backup = lived.copied(folder / "backup", free_port())
    rotated.tokens(visitor)
    then = rotated.values["refresh_token"]
    site.seal()
    ((moment,),) = lived.execute("SELECT clock_timestamp()")
    form = {"token": revoked.values["refresh_token"], "client_id": revoked.values["client_id"]}
    assert site.post("/revoke", data=form).status_code == 200
    assert rotated.refresh().status_code == 200
    late.tokens(visitor)
    lived.execute("SELECT pg_switch_wal()")
    site.deployment.stores.database.close()
    lived.stop()
    return Clients(revoked.values, rotated.values, late.values, then), backup, moment


@pytest.fixture
def back(folder: Path, lived: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Site, Clients]]:
    """The deployment as it was at the moment."""
    clients, backup, moment = live(lived, folder)
    server = restored(backup, folder / "archive", moment)
    site = open_site(url_of(server), folder)
    commanded(site, monkeypatch)
    yield site, clients
    site.deployment.stores.database.close()
    server.stop()


def told(client: dict[str, str]) -> str:
    return typed("audit", "list", "--client", client["client_id"]).output


def verified() -> None:
    done = typed("audit", "verify")
    assert done.exit_code == 0, done.output


def test_a_restore_to_a_moment_is_whole_and_lets_nothing_live_that_ended_after_it(back: tuple[Site, Clients]):
    site, clients = back
    verified()
    assert "code.redeemed" in told(clients.rotated)
    assert "token.refreshed" not in told(clients.rotated)
    assert told(clients.late) == ""
    again = Flow(site, clients.revoked)
    assert again.refresh().status_code == 200, "a restore alone lets it live again"

    recovered = typed("recover", "--yes")
    assert recovered.exit_code == 0, recovered.output
    assert again.refresh().json["error"] == "invalid_grant"
    for known in (clients.rotated["refresh_token"], clients.rotated_then):
        answer = Flow(site, clients.rotated).refresh(refresh_token=known)
        assert answer.json["error"] == "invalid_grant"
    assert Flow(site).tokens(Visitor(site))["token_type"] == "Bearer"
    site.seal()
    verified()
