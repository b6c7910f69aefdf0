"""The partitions of the audit trail on PostgreSQL: by the transactions that wrote, which is the order of the seals.

What is sealed comes before what is not, so a partition is *finished* when something behind it is sealed: nothing comes
into it any more, and retention can drop it whole. One that nothing has come to yet is made ahead; should there be none
for an event, it goes to the one for the rest. No unique key spans them: each has one of its own by number.
"""

import re
import time
from dataclasses import dataclass

from sqlalchemy import Connection, func, literal, select, table, text
from sqlalchemy.exc import IntegrityError, OperationalError

from .clock import now_in_milliseconds
from .database import Database
from .models import SealRow

LOCK = 0x6D6371  # any number that nobody else takes: who seals, drops or makes partitions does it alone
RETIRING = 0x6D6373  # another one: so does who reads what it will drop, and others seal meanwhile
LOCK_TIMEOUT = "SET LOCAL lock_timeout = '250ms'"  # for as long, others wait behind us
ATTEMPTS = 5
LEAST, MOST = 2**20, 2**24  # transactions in a partition: not too many partitions, nor too many seals in one
STEP = 4  # times the width of the one before, at most: a burst tells nothing of a day
MARGIN = 4 * LEAST  # that may begin while older events are told apart from those to come
NEAR = LEAST // 4  # that may begin while a partition is made: one that is to begin sooner would come too late
BOUND = re.compile(r"FROM \((?:'(-?\d+)'|MINVALUE)\) TO \('(-?\d+)'\)")
FOUND = text(
    "SELECT relname, pg_get_expr(relpartbound, pg_class.oid) FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
    " WHERE inhparent = to_regclass('audit_events')"
)
SEALED = select(func.max(SealRow.last_xid))
NEXT = text("SELECT audit_order(pg_snapshot_xmax(pg_current_snapshot()))")
ALONE = text("SELECT pg_try_advisory_xact_lock(:lock)")
UNBOUNDED = text("SET LOCAL idle_in_transaction_session_timeout = 0")
USERS = text(
    "SELECT virtualtransaction FROM pg_locks WHERE relation = to_regclass(:name) AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()"
)
SOON = 0.5  # seconds in which whoever uses a partition for a moment has ended
TURN = f"SELECT pg_advisory_xact_lock({LOCK})"
FIRST, REST = "audit_events_first", "audit_events_rest"
LIMIT = "audit_events_until"
LIMITS = text("SELECT conname FROM pg_constraint WHERE conrelid = to_regclass(:table) AND conname LIKE :name")
ATTACH = "ALTER TABLE audit_events ATTACH PARTITION {} {}"


class TrailBusy(RuntimeError):
    """Somebody reads the trail, or writes to it, for so long that its partitions cannot be changed now."""


@dataclass(frozen=True, slots=True)
class Partition:
    """The partition *name*, of transactions from *begin* (None: from the first one) until just before *end*."""

    name: str
    begin: int | None
    end: int


def alone(connection: Connection) -> bool:
    """Whether this transaction is the one that may seal or drop. A lock ends with it, so poolers may lie between."""
    return connection.dialect.name == "sqlite" or bool(connection.scalar(ALONE, {"lock": LOCK}))


def retires(connection: Connection) -> bool:
    """Whether this transaction is the one that may read what is to be dropped, and then drop it, for as long as it is.

    It rests while others read for it, and as long as it changes nothing it holds up nobody: neither seals nor readers,
    nor, without a snapshot, a vacuum.
    """
    if connection.dialect.name == "sqlite":
        return True
    found = bool(connection.scalar(ALONE, {"lock": RETIRING}))
    connection.execute(UNBOUNDED)  # the last statement, as a query would leave its snapshot open
    return found


def await_turn(connection: Connection) -> None:
    """Let this transaction be `alone`, when whoever is has sealed: what it has read is not to be in vain.

    Raises `TrailBusy` if that takes long.
    """
    if connection.dialect.name == "postgresql":
        _promptly(connection, TURN)


def partitions(connection: Connection) -> list[Partition]:
    """Those with bounds, in order."""
    if connection.dialect.name == "sqlite":
        return []
    bounds = [(name, BOUND.search(bound)) for name, bound in connection.execute(FOUND)]
    made = [Partition(name, int(b[1]) if b[1] else None, int(b[2])) for name, b in bounds if b]
    return sorted(made, key=lambda each: each.end)


def next_bound(connection: Connection, xid: int) -> int | None:
    """The first bound of a partition behind transaction *xid*."""
    bounds = {bound for each in partitions(connection) for bound in (each.begin, each.end) if bound is not None}
    return min((bound for bound in bounds if bound > xid), default=None)


def try_out(database: Database, partition: Partition) -> None:
    """Raise `TrailBusy` unless *partition* could be dropped at this moment.

    Its users are looked for first: while we wait for the lock, all that write to the trail wait behind us.
    """
    if users := _users(database, partition):
        time.sleep(SOON)
        if users & _users(database, partition):
            raise TrailBusy(f"somebody has used {partition.name} for a while")
    with database.transaction() as connection:
        _promptly(connection, _locked(partition), attempts=1)


def _users(database: Database, partition: Partition) -> frozenset[str]:
    with database.reading() as connection:
        return frozenset(connection.scalars(USERS, {"name": partition.name}))


def drop(connection: Connection, partition: Partition) -> None:
    """Drop *partition*, just before the transaction ends: until then nobody reads or writes. Raises `TrailBusy`."""
    _promptly(connection, _locked(partition), f"DROP TABLE {partition.name}")


def _locked(partition: Partition) -> str:
    return f"LOCK TABLE ONLY audit_events, {partition.name} IN ACCESS EXCLUSIVE MODE"


def drop_empty(database: Database) -> None:
    """Drop the oldest partition if it is finished and nothing is left in it. Raises `TrailBusy`."""
    with database.transaction() as connection:
        there = partitions(connection) if alone(connection) else []
        if not there or (connection.scalar(SEALED) or 0) < there[0].end:
            return
        if connection.scalar(select(literal(1)).select_from(table(there[0].name)).limit(1)) is None:
            drop(connection, there[0])


def make_ahead(database: Database, seconds: int) -> int:
    """See that there is a partition that nothing has come to yet; returns how many were made.

    They are as wide as what comes in so many *seconds*, by the rate of late. Whoever comes first makes them.
    Raises `TrailBusy`.
    """
    if database.dialect == "sqlite":
        return 0
    made = 0
    while _one_ahead(database, seconds):
        made += 1
    return made


def _one_ahead(database: Database, seconds: int) -> bool:
    with database.transaction() as connection:
        if not alone(connection):
            return False
        there = partitions(connection)
        following = connection.scalar(NEXT) or 0
        if there and following < (there[-1].begin or 0):
            return False
        if there:
            begin = there[-1].end if following + NEAR < there[-1].end else following + MARGIN
            _make(connection, begin, begin + _width(connection, there, seconds))
            return True
    return _divide(database)


def _width(connection: Connection, there: list[Partition], seconds: int) -> int:
    """For a partition behind the newest of *there*, which begins to fill: by what came in the one before that."""
    if len(there) < 2 or (before := there[-2]).begin is None:
        return LEAST
    newest = there[-1]
    first = select(SealRow.from_ms).where(SealRow.last_xid >= before.begin).order_by(SealRow.last_xid).limit(1)
    taken_ms = max(1, connection.scalar(select(now_in_milliseconds - first.scalar_subquery())) or 1)
    lately = (before.end - before.begin) * seconds * 1000 // taken_ms
    return min(max(lately, LEAST), MOST, STEP * (newest.end - (newest.begin or 0)))


def _make(connection: Connection, begin: int, end: int) -> None:
    name = f"audit_events_{begin}"
    _create(connection, name)
    try:
        _promptly(connection, ATTACH.format(name, f"FOR VALUES FROM ({begin}) TO ({end})"))
    except IntegrityError as error:  # whoever made it was held up for so long
        raise TrailBusy("events came to where the next partition of the audit trail was to begin") from error


def _create(connection: Connection, name: str) -> None:
    _run(
        connection,
        f"CREATE TABLE {name} (LIKE audit_events INCLUDING DEFAULTS INCLUDING STORAGE)",
        f"ALTER TABLE {name} ADD CONSTRAINT pk_{name} PRIMARY KEY (id)",
        f"ALTER TABLE {name} SET (autovacuum_freeze_min_age = 0)",  # its rows never change
        f"CREATE TRIGGER audit_events_all BEFORE TRUNCATE ON {name} EXECUTE FUNCTION audit_refusal()",
    )


def _divide(database: Database) -> bool:
    """Make all events up to now a partition of their own; they are read for it, while nobody waits."""
    if (end := _limited(database)) is None:
        return False
    try:
        with database.transaction() as connection:
            _go_on(connection, end)
            _run(connection, "SET LOCAL statement_timeout = 0")
            _run(connection, f"ALTER TABLE {FIRST} VALIDATE CONSTRAINT {LIMIT}_{end}")
        with database.transaction() as connection:
            _go_on(connection, end)
            _set_apart(connection, end)
    finally:
        with database.transaction() as connection:  # or the first table would refuse events when that point is reached
            _promptly(connection, f"ALTER TABLE {FIRST} DROP CONSTRAINT IF EXISTS {LIMIT}_{end}")
    return True


def _limited(database: Database) -> int | None:
    """Say of the first table that it ends at some transaction to come, as it does not yet; which one."""
    with database.transaction() as connection:
        # One at a time: a limit that was reckoned before another's is below the partition that this other one makes.
        _promptly(connection, f"LOCK TABLE {FIRST} IN SHARE UPDATE EXCLUSIVE MODE")
        if not alone(connection) or partitions(connection):
            return None
        end = (connection.scalar(NEXT) or 0) + MARGIN
        limit = f"ADD CONSTRAINT {LIMIT}_{end} CHECK (xid < {end}) NOT VALID"
        _promptly(connection, f"ALTER TABLE {FIRST} {', '.join([*_left(connection), limit])}")
    return end


def lift(connection: Connection) -> None:
    """Take away the limit that a division left which somebody was killed at: events are to come from beyond it."""
    if left := _left(connection):
        _run(connection, f"ALTER TABLE {FIRST} {', '.join(left)}")


def _left(connection: Connection) -> list[str]:
    left = connection.scalars(LIMITS, {"table": FIRST, "name": f"{LIMIT}_%"})
    return [f"DROP CONSTRAINT {name}" for name in left]


def _go_on(connection: Connection, end: int) -> None:
    """Begin the next transaction of a division, unless another began one between. Raises `TrailBusy`."""
    ours = alone(connection) and not partitions(connection)
    if not ours or not connection.scalars(LIMITS, {"table": FIRST, "name": f"{LIMIT}_{end}"}).all():
        raise TrailBusy("another process makes the first partition of the audit trail")


def _set_apart(connection: Connection, end: int) -> None:
    """Nothing is read for it: the constraint says it all."""
    _create(connection, REST)
    _promptly(
        connection,
        f"ALTER TABLE audit_events DETACH PARTITION {FIRST}",
        ATTACH.format(FIRST, f"FOR VALUES FROM (MINVALUE) TO ({end})"),
        ATTACH.format(REST, "DEFAULT"),
    )


def _promptly(connection: Connection, *statements: str, attempts: int = ATTEMPTS) -> None:
    """Run *statements*, which wait for others, and others for them: for a moment each time. Raises `TrailBusy`."""
    _run(connection, LOCK_TIMEOUT)
    for _ in range(attempts):
        try:
            with connection.begin_nested():
                _run(connection, *statements)
        except OperationalError:
            continue
        return
    raise TrailBusy("the audit trail is in use; its partitions are changed another time")


def _run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.execute(text(statement))
