"""What must be true whatever broke: asked of database, trail and nodes once all is well again."""

from collections.abc import Iterator

from sqlalchemy import text

from authserver.store.database import Database
from authserver.store.engine import create
from tests.trail.mixed_load import NotNow
from tests.trail.reckoning import TOLD_OF, check_answered, rows

from .load import Ledger, Load
from .nodes import Node

ASKED = 8  # of the clients of each kind, the last

TWO_HEADS = """
    SELECT family_id FROM refresh_tokens JOIN refresh_families ON id = family_id
    WHERE revoked_at IS NULL AND rotated_at IS NULL GROUP BY family_id HAVING count(*) > 1"""
NO_HEAD = """
    SELECT id FROM refresh_families WHERE revoked_at IS NULL
    AND NOT EXISTS (SELECT FROM refresh_tokens WHERE family_id = id AND rotated_at IS NULL)"""
ISSUED = "SELECT count(*) FROM audit_events WHERE name = 'token.issued' AND client_id = :client_id"


def reckon(url: str, load: Load, node: Node) -> list[str]:
    """What is wrong, in words; *load* does not run meanwhile."""
    database = Database(create(url))
    try:
        found = [*load.ledger.wrong, *_in_database(database, load), *_at_nodes(load)]
    finally:
        database.close()
    load.ledger.wrong.clear()
    verified = node.command("audit", "verify")
    if verified.returncode:
        found.append(f"the seals do not verify: {verified.stdout}{verified.stderr}")
    return found


def _in_database(database: Database, load: Load) -> Iterator[str]:
    ledger: Ledger = load.ledger
    if rows(database, TWO_HEADS):
        yield "a refresh family has two live heads"
    if rows(database, NO_HEAD):
        yield "a live refresh family has no head"
    for state, trail in TOLD_OF.items():
        if rows(database, state) != rows(database, trail):
            yield f"the trail tells otherwise than: {state}"
    try:
        check_answered(database, ledger.mixed)
    except AssertionError as missing:
        yield f"an answered change is not there: {str(missing)[:500]}"
    if lost := set(ledger.refresh_tokens) - rows(database, "SELECT digest FROM refresh_tokens").keys():
        yield f"{len(lost)} answered refresh tokens are not there"
    with database.reading() as connection:
        told = connection.scalar(text(ISSUED), {"client_id": load.machine.client_id}) or 0
    if told < ledger.issued:
        yield f"{ledger.issued} of a client's own tokens were answered, and {told} are in the trail"


def _at_nodes(load: Load) -> Iterator[str]:
    """Revoked tokens are dead at every node, and those that nobody revoked live."""
    ledger = load.ledger
    try:
        for kept in ledger.revoked[-ASKED:]:
            # Twice, since requests are shared out among two nodes.
            if any(load.is_active(kept.access_token) for _ in load.ports):
                yield "a revoked access token is active"
            if any(load.refreshed(kept) for _ in load.ports):
                yield "a revoked refresh token was refreshed"
        for place, kept in list(enumerate(ledger.live))[-ASKED:]:
            following = load.refreshed(kept)
            if following is None:
                yield "a refresh token was refused that nobody had revoked"
            else:
                ledger.live[place] = following
    except NotNow as late:
        yield f"all should be well by now: {late}"
