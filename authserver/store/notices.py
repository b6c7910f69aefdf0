"""Notices: what is to be told, written with what it tells of; gathered into messages; sent until they are taken.

A notice is in one message for each target. A message goes out at least once: whoever dies while sending leaves a time
after which the next one sends it again, under the same id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from ..protocol import credential
from .clock import now
from .database import Database
from .models import NoticeMessageRow, NoticeRow

MOST_GATHERED = 10_000  # in one transaction
KEPT_SECONDS = 7 * 24 * 3600
MOST_LISTED = 200
ROW = NoticeMessageRow


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to be told. ``topic`` says of what kind it is; ``about`` is what there is to say, an object."""

    topic: str
    about: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Notices of one ``topic`` that are in no message yet."""

    topic: str
    count: int
    since: int


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent to one ``target``. ``told`` is an object; ``tries`` counts this one. Times in Unix seconds.

    ``try_at`` is None once it was taken (``delivered_at``) or given up.
    """

    id: str
    target: str
    topic: str
    told: dict[str, Any]
    created_at: int
    tries: int
    try_at: int | None
    delivered_at: int | None
    failure: str | None


COLUMNS = tuple(getattr(ROW, name) for name in Message.__slots__)
MESSAGES = select(*COLUMNS)


def note(connection: Connection, notice: Notice) -> None:
    """Have *notice* told, if the transaction of *connection* is committed."""
    connection.execute(insert(NoticeRow).values(topic=notice.topic, about=notice.about, created_at=now))


class NoticeStore:
    """Notices and messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, notices: Sequence[Notice]) -> None:
        """Have *notices* told."""
        with self._database.transaction() as connection:
            for notice in notices:
                note(connection, notice)

    def waiting(self) -> list[Waiting]:
        """What is in no message yet, by topic."""
        names = (NoticeRow.topic, func.count(), func.min(NoticeRow.created_at))
        with self._database.reading() as connection:
            return [Waiting(*row) for row in connection.execute(select(*names).group_by(NoticeRow.topic))]

    def due(self, gathering: int) -> list[str]:
        """The topics of which something waits, and no message was made in the last *gathering* seconds."""
        lately = select(ROW.topic).where(ROW.topic == NoticeRow.topic, ROW.created_at > now - gathering)
        wanted = select(NoticeRow.topic).where(~lately.exists()).distinct()
        with self._database.reading() as connection:
            return list(connection.scalars(wanted.order_by(NoticeRow.topic)))

    def gather(self, topic: str, targets: Sequence[str], most: int) -> int:
        """Put what waits of *topic* into one message to each of *targets*; returns how many notices.

        The message tells the first *most* of them, and how many there are. Without targets they are forgotten.
        """
        first = select(NoticeRow.id).where(NoticeRow.topic == topic).order_by(NoticeRow.id).limit(MOST_GATHERED)
        taken = delete(NoticeRow).where(NoticeRow.id.in_(first)).returning(NoticeRow.id, NoticeRow.about)
        with self._database.transaction() as connection:
            found = sorted(connection.execute(taken).all(), key=lambda row: row.id)
            about = list({row.about.get("id", row.id): row.about for row in found}.values())
            told = {"count": len(about), "items": about[:most]}
            for target in targets if found else ():
                connection.execute(insert(ROW).values(**_made(target, topic, told), tries=0, try_at=now))
        return len(found)

    def send(self, topic: str, told: dict[str, Any], target: str, seconds: int) -> Message:
        """Make one message to *target* of what is told, and take it for *seconds*, see `claim`."""
        made = insert(ROW).values(**_made(target, topic, told), tries=1, try_at=now + seconds)
        with self._database.transaction() as connection:
            return Message(*connection.execute(made.returning(*COLUMNS)).one())

    def claim(self, target: str, seconds: int) -> Message | None:
        """Take the next message to *target* that is due, for *seconds*; of all processes one gets it."""
        due = select(ROW.id).where(ROW.target == target, ROW.try_at <= now).order_by(ROW.try_at).limit(1)
        with self._database.reading() as connection:
            if connection.execute(due).first() is None:
                return None
        first = due.with_for_update(skip_locked=True).scalar_subquery()
        claimed = update(ROW).where(ROW.id == first).values(try_at=now + seconds, tries=ROW.tries + 1)
        with self._database.transaction() as connection:
            row = connection.execute(claimed.returning(*COLUMNS)).one_or_none()
        return None if row is None else Message(*row)

    def taken(self, message: Message) -> None:
        """*message* was taken."""
        self._end(message, {"delivered_at": now, "failure": None, "try_at": None})

    def failed(self, message: Message, why: str, again_in: int | None) -> None:
        """*message* was not taken, for the reason *why*; it is sent again in so many seconds, or given up."""
        self._end(message, {"failure": why, "try_at": None if again_in is None else now + again_in})

    def undelivered(self) -> list[Message]:
        """Messages that wait or were given up, the newest first."""
        return self._list(ROW.delivered_at.is_(None))

    def _list(self, which: ColumnElement[bool]) -> list[Message]:
        wanted = MESSAGES.where(which).order_by(ROW.created_at.desc(), ROW.id).limit(MOST_LISTED)
        with self._database.reading() as connection:
            return [Message(*row) for row in connection.execute(wanted)]

    def _end(self, message: Message, values: dict[str, Any]) -> None:
        # Whoever was too slow changes nothing for the one that has it by now.
        mine = update(ROW).where(ROW.id == message.id, ROW.tries == message.tries, ROW.delivered_at.is_(None))
        with self._database.transaction() as connection:
            connection.execute(mine.values(**values))


def _made(target: str, topic: str, told: dict[str, Any]) -> dict[str, Any]:
    identifier = f"msg_{credential.identifier()}"
    return {"id": identifier, "target": target, "topic": topic, "told": told, "created_at": now}
