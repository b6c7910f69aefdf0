"""How people sign in: the values of ``amr`` (RFC 8176 §2)."""

from enum import StrEnum


class Method(StrEnum):
    """One way in which a person proved who they are."""

    PASSWORD = "pwd"  # noqa: S105 - the name of a method
    """A password (RFC 8176 §2)."""

    UPSTREAM = "fed"
    """At an identity provider. RFC 8176 has no value for that; this one is what others use (§1 lets parties agree)."""
