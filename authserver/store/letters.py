"""Mail to people about their accounts, from when it is written until it is taken: at least once, by one process."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from ..protocol import credential
from ..protocol.audit import Event
from .audit import record
from .clock import now
from .database import Database
from .models import LetterRow


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to ``receiver``. ``sealed`` are its words; None: nobody has looked yet whether they have an account.

    ``tries`` counts how often it was sent, ``language`` is that of the page where one without words was asked for.
    """

    id: str
    receiver: str
    sealed: bytes | None
    tries: int = 0
    language: str | None = None


COLUMNS = tuple(getattr(LetterRow, name) for name in Letter.__slots__)


def blank(receiver: str, language: str | None = None) -> Letter:
    """A new letter to *receiver*, without words, asked for on a page in *language*."""
    return Letter(credential.identifier(), receiver, None, language=language)


def post(connection: Connection, letter: Letter | None) -> None:
    """Have *letter* sent, if there is one, once the transaction of *connection* is committed.

    One that waits already gets its words.
    """
    if letter is None:
        return
    waiting = update(LetterRow).where(LetterRow.id == letter.id).values(sealed=letter.sealed)
    if not connection.execute(waiting).rowcount:
        written = {name: getattr(letter, name) for name in Letter.__slots__}
        connection.execute(insert(LetterRow).values(**written, created_at=now, try_at=now))


class LetterStore:
    """Letters that wait."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, letter: Letter, event: Event) -> None:
        """Have *letter* sent."""
        with self._database.transaction() as connection:
            post(connection, letter)
            record(connection, event)

    def claim(self, seconds: int) -> Letter | None:
        """Take the next letter that is due, for *seconds*; of all processes one gets it."""
        due = select(LetterRow.id).where(LetterRow.try_at <= now).order_by(LetterRow.try_at).limit(1)
        with self._database.reading() as connection:
            if connection.execute(due).first() is None:
                return None
        first = due.with_for_update(skip_locked=True).scalar_subquery()
        claimed = update(LetterRow).where(LetterRow.id == first)
        taken = claimed.values(try_at=now + seconds, tries=LetterRow.tries + 1).returning(*COLUMNS)
        with self._database.transaction() as connection:
            row = connection.execute(taken).one_or_none()
        return None if row is None else Letter(*row)

    def again(self, letter: Letter, seconds: int) -> None:
        """Have *letter*, which was not taken, sent again in so many seconds."""
        # Whoever was too slow changes nothing for the one that has it by now.
        mine = update(LetterRow).where(LetterRow.id == letter.id, LetterRow.tries == letter.tries)
        with self._database.transaction() as connection:
            connection.execute(mine.values(try_at=now + seconds))

    def gone(self, letter: Letter, event: Event | None = None) -> None:
        """Forget *letter*: it was taken, has nobody to go to, or is given up, of which *event* tells."""
        with self._database.transaction() as connection:
            connection.execute(delete(LetterRow).where(LetterRow.id == letter.id))
            if event is not None:
                record(connection, event)
