"""Pages of long lists: the newest first, each page going on after the last line of the one before."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, TypeVarTuple

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, tuple_

Line = TypeVar("Line")
Selected = TypeVarTuple("Selected")
LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Page(Generic[Line]):
    """Some lines of a list; ``after`` asks for those that follow, None at the list's end."""

    lines: tuple[Line, ...]
    after: str | None

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by, the newest first: a number that grows with time, and what tells equals apart."""

    moment: SQLColumnExpression[int]
    identity: SQLColumnExpression[str]

    @property
    def newest_first(self) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """What to sort by."""
        return self.moment.desc(), self.identity.desc()

    def limit(self, statement: Select[*Selected], after: str | None, limit: int) -> Select[*Selected]:
        """*statement* for one page: *limit* lines after the line *after*, and one more to see whether it ends.

        An *after* that no page gave means the beginning: it comes from a URL.
        """
        place = _read(after)
        if place is not None:
            statement = statement.where(tuple_(self.moment, self.identity) < tuple_(*place))
        return statement.order_by(*self.newest_first).limit(limit + 1)


def filled(page_after: Callable[[str | None, int], Page[Line]], limit: int) -> Iterator[Line]:
    """The first *limit* lines of a list whose pages may have fewer than they could, or none, and more after them."""
    after, left = None, limit
    while left > 0:
        page = page_after(after, left)
        yield from page
        after, left = page.after, left - len(page.lines)
        if after is None:
            return


def cut(lines: Sequence[Line], limit: int, place: Callable[[Line], tuple[int, str]]) -> Page[Line]:
    """The page of *lines*, of which there may be one more than *limit*."""
    kept = tuple(lines[:limit])
    return Page(kept, written(*place(kept[-1])) if len(lines) > limit and kept else None)


def written(moment: int, identity: str) -> str:
    """The place after which a page begins, as `Order.limit` reads it."""
    return f"{moment}.{identity}"


def _read(after: str | None) -> tuple[int, str] | None:
    moment, _, identity = (after or "").partition(".")
    if not moment.isascii() or not moment.isdecimal() or int(moment[:20]) > LARGEST:
        return None
    return int(moment), identity
