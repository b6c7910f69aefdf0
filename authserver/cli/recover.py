"""``authserver recover``: once after the database was restored to an earlier moment (docs/recovery.md)."""

import click

from ..protocol.audit import Event
from ..services.deployment import Deployment
from ..store.grants import Whose
from .deployment import with_deployment
from .endings import revoke_in_batches

BATCH = 500
PROMPT = "All people will have to sign in again, and to allow each client again. Was the database restored, then?"


@click.command()
@click.confirmation_option(prompt=PROMPT)
@with_deployment
def recover(found: Deployment) -> None:
    """Once after the database was restored to an earlier moment, before a node starts: end all that may have ended.

    What was revoked, rotated or signed out after that moment would be alive again, and nobody knows what that was. Safe
    to run again; whatever stopped it, the same command goes on.
    """
    found.stores.recovery.leap(Event("database.restored", "system"))
    click.echo("the trail and the configuration's epoch count on far beyond what was lost")
    withdrawn, _ = found.rotation.replace_all()
    click.echo(f"withdrew {withdrawn} keys and all that they signed; new ones sign")
    revoke_in_batches(found, Whose())
    click.echo(f"signed out {_sign_out(found)} people")
    click.echo("done; what administrators changed since that moment is for them to do again: docs/recovery.md")


def _sign_out(found: Deployment) -> int:
    total = 0
    while people := found.stores.recovery.signed_in(BATCH):
        for person in people:
            found.stores.sessions.end_all(person, Event("sessions.ended", "system"))
        total += len(people)
    return total
