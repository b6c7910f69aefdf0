"""How people sign in: the values of ``amr`` (RFC 8176 §2)."""

from enum import StrEnum


class Method(StrEnum):
    """One way in which a person proved who they are."""

    PASSWORD = "pwd"  # noqa: S105 - the name of a method
    """A password (RFC 8176 §2)."""
    ONE_TIME = "otp"
    """A code of an authenticator app, or a recovery code (RFC 8176 §2)."""
    POSSESSION = "pop"
    """A passkey: the proof that a key is theirs (IANA's registry, by OpenID EAP §4)."""
    MULTIPLE = "mfa"
    """Two factors together (RFC 8176 §2)."""


BY_PASSWORD = (Method.PASSWORD,)
BY_CODE = (Method.PASSWORD, Method.ONE_TIME, Method.MULTIPLE)
BY_PASSKEY = (Method.POSSESSION, Method.MULTIPLE)
"""A passkey alone: the device asks for a finger, a face or a PIN before it signs."""
