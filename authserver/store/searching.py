"""Names that have some text in them, found by index on PostgreSQL however many there are.

The index is over a name's *grams*: all of its runs of one to three letters. A name with the text in it has the grams of
that text, so the index tells the few names that are read. SQLite reads them all.
"""

from sqlalchemy import ColumnElement, SQLColumnExpression, Text, and_, func, literal
from sqlalchemy.dialects.postgresql import ARRAY

from .models.base import StorableText

GRAM = 3


def grams(name: SQLColumnExpression[str]) -> ColumnElement[list[str]]:
    """What PostgreSQL's index is over."""
    return func.search_grams(name, 1, GRAM, type_=ARRAY(Text))


def has(name: SQLColumnExpression[str], query: str, dialect: str) -> ColumnElement[bool]:
    """Whether *name* has *query* in it, whatever the case."""
    within = name.icontains(query, autoescape=True)
    if dialect != "postgresql":
        return within
    length = min(len(query), GRAM)
    wanted = func.search_grams(literal(query, StorableText()), length, length, type_=ARRAY(Text))
    return and_(grams(name).contains(wanted), within)
