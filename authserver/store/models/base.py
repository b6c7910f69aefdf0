"""What all mapped rows share: the metadata with its names of constraints, and the column types."""

from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, LargeBinary, MetaData, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator

from ...protocol.credential import DIGEST_BYTES

NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_name)s",
}
REPLACEMENT = "\ufffd"


def storable(text: str) -> str:
    """*text* as both databases can hold it: what PostgreSQL refuses (NUL, lone surrogates) is replaced.

    So whatever a URL or a form carries can be looked up, and is merely not found.
    """
    if "\0" in text:
        text = text.replace("\0", REPLACEMENT)
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class Words(TypeDecorator[tuple[str, ...]]):
    """An ordered set of scope tokens, or of other words without spaces, as one text with spaces between."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        """Text for the database."""
        return None if value is None else storable(" ".join(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:
        """A tuple again."""
        return None if value is None else tuple(value.split())


class StorableText(TypeDecorator[str]):
    """Any text, see `storable`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Text for the database."""
        return None if value is None else storable(value)


Digest = Annotated[bytes, mapped_column(LargeBinary(DIGEST_BYTES))]
"""The SHA-256 of a secret (`protocol.credential.digest`)."""

Seconds = Annotated[int, mapped_column(BigInteger)]
"""A moment in Unix seconds, by the database's clock."""


class Row(DeclarativeBase):
    """Base of all mapped rows."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {str: StorableText, tuple[str, ...]: Words}
