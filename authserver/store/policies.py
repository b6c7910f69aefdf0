"""The rules of policy, in versions of which the newest counts; every process has them in memory."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from ..protocol.audit import Event
from ..protocol.policy import matching, reading
from ..protocol.policy.matching import Compiled
from ..protocol.policy.request import Person
from ..protocol.policy.rule import Rules
from ..protocol.role import Role
from .audit import record
from .clock import now
from .database import Database
from .epoch import ConfigEpoch, OfEpoch, bump
from .failures import repeatable
from .models import ClientRow, GroupMemberRow, PolicyHeadRow, PolicyVersionRow, UserRow
from .models.user import OF_WEIGHT

HEAD = select(PolicyHeadRow.version, PolicyHeadRow.people)
NOBODY: frozenset[str] = frozenset()
NAMED = {
    "user": select(UserRow.username.label("name")),
    "client": select(ClientRow.client_id.label("name")).where(ClientRow.deleted_at.is_(None)),
}
MOST_NAMED = 10_000  # in one statement: both databases have a bound for its parameters


class Overtaken(Exception):
    """Somebody else applied another version in the meantime; ``version`` is the one that counts now."""

    def __init__(self, version: int) -> None:
        super().__init__(f"version {version} of the rules was applied in the meantime")
        self.version = version


@dataclass(frozen=True, slots=True)
class Policy:
    """A version of the rules, and of people what the rules ask for, by their ids; it never changes.

    ``compiled`` are the same rules; ``roles`` has all but members.
    """

    version: int
    rules: Rules
    compiled: Compiled = ()
    usernames: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def person(self, user_id: str) -> Person:
        """The person of that id, as these rules can tell them from others."""
        role, groups = self.roles.get(user_id, Role.MEMBER), self.groups.get(user_id, NOBODY)
        return Person(self.usernames.get(user_id, ""), role, groups)


@dataclass(frozen=True, slots=True)
class Version:
    """When a version of the rules was applied (Unix seconds), and by whom (`protocol.audit.Event.actor`)."""

    version: int
    applied_at: int
    actor: str


class PolicyStore:
    """Rules. They are read again when the configuration's epoch has moved and the head tells of something new."""

    def __init__(self, database: Database, epoch: ConfigEpoch) -> None:
        """*epoch* tells when another process changed something."""
        self._database = database
        self._epoch = epoch
        self._known = OfEpoch(epoch, self._newest)
        self._last: tuple[tuple[int, int], Policy] | None = None

    def current(self) -> Policy:
        """The rules that count. At most a second older than any change."""
        return self._known.current()

    def with_people(self, version: int, rules: Rules) -> Policy:
        """*rules* that may not be in force, with the people whom they ask for."""
        return Policy(version, rules, matching.compiled(rules), **self._people(rules))

    def existing(self, entries: Iterable[str]) -> frozenset[str]:
        """Which of *entries*, ``user:NAME`` and ``client:ID``, there are: disabled and suspended ones too."""
        named, found = [entry.partition(":")[::2] for entry in entries], set[str]()
        with self._database.reading() as connection:
            for kind, wanted in NAMED.items():
                for row in _named(connection, wanted, {name for one, name in named if one == kind}):
                    found.add(f"{kind}:{row.name}")
        return frozenset(found)

    def applied(self) -> Version | None:
        """Who applied the version that counts, and when; None if there never was one."""
        newest = select(PolicyVersionRow).order_by(PolicyVersionRow.version.desc()).limit(1)
        with self._database.session() as session:
            row = session.scalars(newest).one_or_none()
            return Version(row.version, row.applied_at, row.actor) if row else None

    def apply(self, rules: Rules, seen: int, event: Event) -> int:
        """Let *rules* count instead of version *seen*; returns their version. Raises `Overtaken`, with nothing done."""
        self._people(rules)  # what cannot be read must not be written: every token request reads it
        content, version = reading.written(rules), seen + 1
        # Of the column, so that the greatest number there is, which no version has, is not counted up.
        moved = update(PolicyHeadRow).where(PolicyHeadRow.version == seen).values(version=PolicyHeadRow.version + 1)
        new = {"version": version, "rules": content, "applied_at": now, "actor": event.actor}
        with self._database.transaction() as connection:
            if not connection.execute(moved).rowcount:
                raise Overtaken(connection.execute(HEAD).one().version)
            connection.execute(insert(PolicyVersionRow).values(**new))
            bump(connection)
            record(connection, event.about(detail={**event.detail, "version": version, "rules": len(rules)}))
        self._epoch.forget()
        return version

    def _newest(self) -> Policy:
        head, last = self._head(), self._last
        if last is None or last[0] != head:
            last = self._last = (head, self._read(head[0]))
        return last[1]

    def _head(self) -> tuple[int, int]:
        found = self._database.look_up(HEAD, {})
        return (found.version, found.people) if found else (0, 0)

    @repeatable
    def _read(self, version: int) -> Policy:
        which = select(PolicyVersionRow.rules).where(PolicyVersionRow.version == version)
        with self._database.reading() as connection:
            content = connection.scalar(which)
        return self.with_people(version, reading.read(content or []))

    def _people(self, rules: Rules) -> dict[str, Any]:
        named = {name.partition(":")[::2] for rule in rules for part in (rule.when, rule.unless) for name in part.who}
        users = [name for kind, name in named if kind == "user"]
        groups = [name for kind, name in named if kind == "group"]
        roles = any(kind == "role" for kind, _ in named)
        with self._database.reading() as connection:
            return {
                "usernames": _usernames(connection, users),
                "roles": _roles(connection) if roles else {},
                "groups": _groups(connection, groups),
            }


def people_moved(connection: Connection) -> None:
    """Have every process ask again who is who, with the transaction of *connection*; without rules nobody asks."""
    with_rules = update(PolicyHeadRow).where(PolicyHeadRow.version > 0)
    if connection.execute(with_rules.values(people=PolicyHeadRow.people + 1)).rowcount:
        bump(connection)


def _named(connection: Connection, wanted: Select[*tuple[Any, ...]], names: Iterable[str]) -> Iterator[Row[Any]]:
    """The rows of *wanted* whose ``name`` is one of *names*, however many those are."""
    ordered = sorted(names)
    for first in range(0, len(ordered), MOST_NAMED):
        some = wanted.where(wanted.selected_columns.name.in_(ordered[first : first + MOST_NAMED]))
        yield from connection.execute(some)


def _usernames(connection: Connection, names: Iterable[str]) -> Mapping[str, str]:
    wanted = select(UserRow.id, UserRow.username.label("name"))
    return MappingProxyType({row.id: row.name for row in _named(connection, wanted, names)})


def _roles(connection: Connection) -> Mapping[str, Role]:
    found = connection.execute(select(UserRow.id, UserRow.role).where(OF_WEIGHT))
    return MappingProxyType({row.id: Role(row.role) for row in found})


def _groups(connection: Connection, names: Iterable[str]) -> Mapping[str, frozenset[str]]:
    wanted = select(GroupMemberRow.user_id, GroupMemberRow.name)
    found: dict[str, frozenset[str]] = {}
    for row in _named(connection, wanted, names):
        found[row.user_id] = found.get(row.user_id, NOBODY) | {row.name}
    return MappingProxyType(found)
