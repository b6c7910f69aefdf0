"""Rows that have some text in one of their names, newest first, in bounded time on PostgreSQL however many there are.

Text that many have is found among the newest rows. For what few have there is an index over a name's *grams*: all of
its runs of three letters. A name with the text in it has the grams of that text, so the index tells the few names that
are read. Neither alone would do: reading on and on for what is rare, or sorting all that is common. Fewer than three
letters are looked for among the newest rows alone. SQLite reads all names.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, SQLColumnExpression, Text, and_, func, literal, or_, select, true, union_all
from sqlalchemy.dialects.postgresql import ARRAY

from .models.base import StorableText
from .paging import Order

EVERY = true()
GRAM = 3
NEWEST = 1000
"""So many rows are read for the text itself before the index is asked."""


@dataclass(frozen=True, slots=True)
class Name:
    """A column with a name, which rows it is one of, and of which of these it is in the index."""

    column: SQLColumnExpression[str]
    of: ColumnElement[bool] = EVERY
    indexed: ColumnElement[bool] = EVERY

    def has(self, query: str) -> ColumnElement[bool]:
        """Whether it has *query* in it, whatever the case."""
        return and_(self.of, self.column.icontains(query, autoescape=True))

    def by_grams(self, query: str) -> ColumnElement[bool]:
        """The same, by the index."""
        grams = func.search_grams(self.column, type_=ARRAY(Text))
        wanted = func.search_grams(literal(query, StorableText()), type_=ARRAY(Text))
        return and_(grams.contains(wanted), self.indexed, self.has(query))


@dataclass(frozen=True, slots=True)
class Searched:
    """A table by its names, in its order."""

    order: Order
    names: tuple[Name, ...]

    def ways(
        self, query: str, after: str | None, limit: int, dialect: str, *others: ColumnElement[bool]
    ) -> tuple[ColumnElement[bool], ...]:
        """The conditions for a page of *limit* rows after *after*: to be asked in turn until there are more than that.

        *others* are what the rows have to fit besides. An empty *query* fits all.
        """
        identity = self.order.identity
        exactly = identity == query
        named = or_(exactly, *(name.has(query) for name in self.names))
        if not query:
            return (and_(true(), *others),)
        if dialect != "postgresql":
            return (and_(named, *others),)
        newest = self.order.limit(select(identity).where(*others), after, NEWEST)
        if len(query) < GRAM:
            return (and_(identity.in_(newest), named),)
        # Not one condition with OR: PostgreSQL would walk the whole table past it.
        alternatives = (exactly, *(name.by_grams(query) for name in self.names))
        found = (self.order.limit(select(identity).where(each, *others), after, limit) for each in alternatives)
        return and_(identity.in_(newest), named), and_(identity.in_(union_all(newest, *found)), named)
