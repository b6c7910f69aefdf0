"""Rows that have some text in one of their names, newest first, in bounded time on PostgreSQL however many there are.

Text that many have is found among the newest rows. For what few have there is an index over a name's *grams*: all of
its runs of one to three letters. A name with the text in it has the grams of that text, so the index tells the few
names that are read. Neither alone would do: reading on and on for what is rare, or sorting all that is common. SQLite
reads all names.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, SQLColumnExpression, Text, and_, func, literal, or_, select, true, union_all
from sqlalchemy.dialects.postgresql import ARRAY

from .models.base import StorableText
from .paging import Order

EVERY = true()
GRAM = 3
NEWEST = 2000
"""So many rows are read for the text itself before the index is asked."""


@dataclass(frozen=True, slots=True)
class Name:
    """A column with a name, and which rows it is one of."""

    column: SQLColumnExpression[str]
    of: ColumnElement[bool] = EVERY

    def has(self, query: str) -> ColumnElement[bool]:
        """Whether it has *query* in it, whatever the case."""
        return and_(self.of, self.column.icontains(query, autoescape=True))

    def by_grams(self, query: str) -> ColumnElement[bool]:
        """The same, by the index."""
        length = min(len(query), GRAM)
        grams = func.search_grams(self.column, 1, GRAM, type_=ARRAY(Text))
        wanted = func.search_grams(literal(query, StorableText()), length, length, type_=ARRAY(Text))
        return and_(grams.contains(wanted), self.has(query))


@dataclass(frozen=True, slots=True)
class Searched:
    """A table by its names: those of its rows that are ``there``, in their order."""

    order: Order
    names: tuple[Name, ...]
    there: ColumnElement[bool] = EVERY

    def ways(self, query: str, after: str | None, dialect: str) -> tuple[ColumnElement[bool], ...]:
        """The conditions to ask for in turn until a page after *after* is full; the last one tells all there is."""
        exactly = self.order.identity == query
        named = or_(exactly, *(name.has(query) for name in self.names))
        if dialect != "postgresql":
            return (named,)
        identity = self.order.identity
        newest = self.order.limit(select(identity).where(self.there), after, NEWEST)
        indexed = union_all(*(select(identity).where(name.by_grams(query)) for name in self.names))
        return and_(identity.in_(newest), named), or_(exactly, identity.in_(indexed))
