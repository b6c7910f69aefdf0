"""Who an upstream says that somebody is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import mail_address
from ..mail_address import NoMailAddress
from .flaw import Unbelievable

MOST_SUBJECT = 255  # OpenID Connect Core 1.0 §2
MOST_NAME = 200
MOST_GROUPS = 2000

Wanted = str | bool | int | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody, by the name that ``issuer`` never gives to another: ``subject``.

    ``email`` is casefolded, and None unless the upstream says that it is theirs. ``login`` is what they are called
    there, which may be somebody else's name tomorrow.
    """

    issuer: str
    subject: str
    login: str = ""
    name: str = ""
    email: str | None = None
    groups: tuple[str, ...] = ()

    @property
    def domain(self) -> str | None:
        """That of the e-mail address."""
        return self.email.rpartition("@")[2] if self.email else None


def read(issuer: str, claims: Mapping[str, Any], groups_claim: str, *, assume_verified: bool = False) -> Identity:
    """The identity in *claims*, which are proven. Raises `Unbelievable` without a subject.

    *assume_verified*: an address counts although nothing is said of whether it is verified (never if it is not).
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MOST_SUBJECT or not subject.isprintable():
        raise Unbelievable("sub is missing, or no text")
    verified = claims.get("email_verified", True if assume_verified else None) is True
    return Identity(
        issuer=issuer,
        subject=subject,
        login=_text(claims, "preferred_username"),
        name=_text(claims, "name"),
        email=_email(claims) if verified else None,
        groups=_groups(claims.get(groups_claim)),
    )


def unmet(claims: Mapping[str, Any], required: Mapping[str, Wanted]) -> str | None:
    """The first of the *required* claims that *claims* do not have, or with another value; None if all are right."""
    return next((name for name, wanted in required.items() if not _meets(claims.get(name), wanted)), None)


def _meets(value: object, wanted: Wanted) -> bool:
    values = value if isinstance(value, list) else [value]
    right = wanted if isinstance(wanted, tuple) else (wanted,)
    # By type too: in Python True is 1.
    return any(type(each) is type(one) and each == one for each in values for one in right)


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value.strip()[:MOST_NAME] if isinstance(value, str) and value.isprintable() else ""


def _email(claims: Mapping[str, Any]) -> str | None:
    value = claims.get("email")
    try:
        address = mail_address.kept(value) if isinstance(value, str) else ""
    except NoMailAddress:  # nor is what is left of one that is too long: it may end in another domain
        return None
    return address if "." in address.rpartition("@")[2] else None


def _groups(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    return tuple(group for group in listed[:MOST_GROUPS] if isinstance(group, str))
