"""``authserver migrate``: bring the database to this version's schema, or say what that would do."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import OperationalError

from ..settings import Settings
from ..store import migrate as schema
from ..store.migration_patience import MigrationBlocked, Patience
from ..store.migration_plan import Planned, PlannedRevision, plan
from .deployment import settings

GOES_ON = "nodes with the code of before go on running"
MAY_FAIL = "nodes with the code of before may fail: stop them first, or bring them up to date"
WAITS = "but whatever uses {} waits while another statement reads a table whole: do it at a quiet hour"
READS = "it also reads rows, and writes what follows from them"


@click.command()
@click.option("--plan", "planned", is_flag=True, help="Say what would be done, and do nothing.")
def migrate(planned: bool) -> None:
    """Bring the database to this version's schema, while nodes with the code of before go on."""
    configured = settings()
    if planned:
        with _messages():
            found = plan(configured.url_of_migrations)
        _tell(found)
        return
    applied = bring_up_to_date(configured)
    click.echo(f"applied {', '.join(applied)}" if applied else "nothing to do")


def bring_up_to_date(configured: Settings) -> tuple[str, ...]:
    """Apply what is lacking, and return it; a message when the database does not let it."""
    patience = Patience(
        lock=configured.migration_lock_timeout,
        statement=configured.migration_statement_timeout,
        tries=configured.migration_tries,
    )
    with _messages():
        return schema.upgrade(configured.url_of_migrations, patience=patience, tell=_warn)


@contextmanager
def _messages() -> Iterator[None]:
    try:
        yield
    except MigrationBlocked as blocked:
        raise click.ClickException(str(blocked)) from None
    except OperationalError as failed:
        raise click.ClickException(f"the database: {failed.orig}") from None


def _warn(words: str) -> None:
    click.echo(words, err=True)


def _tell(found: tuple[PlannedRevision, ...]) -> None:
    for each in found:
        click.echo(f"{each.number}  {each.title}")
        for statement in each.statements:
            _tell_statement(statement)
        if each.reads:
            click.echo(f"      {READS}")
        click.echo(f"      → {GOES_ON if each.old_code_goes_on else MAY_FAIL}")
        if each.held:
            click.echo(f"        {WAITS.format(', '.join(each.held))}")
    click.echo(f"{len(found)} to apply" if found else "nothing to do")


def _tell_statement(planned: Planned) -> None:
    lines = planned.statement.splitlines()
    click.echo(f"      {lines[0]}{' …' if len(lines) > 1 else ''}")
    if planned.lock:
        click.echo(f"          {planned.lock}")
    if planned.held:
        click.echo(f"          meanwhile locked against everybody: {', '.join(planned.held)}")
    if planned.ends:
        click.echo("          code of before may rely on what this takes away")
