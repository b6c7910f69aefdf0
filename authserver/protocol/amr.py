"""How people sign in: the values of ``amr`` (RFC 8176 §2), and of ``acr``, which classes them (RFC 9470)."""

from collections.abc import Iterable
from enum import StrEnum


class Method(StrEnum):
    """One way in which a person proved who they are."""

    PASSWORD = "pwd"  # noqa: S105 - the name of a method
    """A password (RFC 8176 §2)."""
    UPSTREAM = "fed"
    """At an identity provider. RFC 8176 has no value for that; this one is what others use (§1 lets parties agree)."""
    ONE_TIME = "otp"
    """A code of an authenticator app, or a recovery code (RFC 8176 §2)."""
    POSSESSION = "pop"
    """A passkey: the proof that a key is theirs (IANA's registry, by OpenID EAP §4)."""
    MULTIPLE = "mfa"
    """Two factors together (RFC 8176 §2)."""


BY_PASSWORD = (Method.PASSWORD,)
BY_UPSTREAM = (Method.UPSTREAM,)
WITH_CODE = (Method.ONE_TIME, Method.MULTIPLE)
"""A code beside what came before."""
BY_CODE = (*BY_PASSWORD, *WITH_CODE)
BY_PASSKEY = (Method.POSSESSION, Method.MULTIPLE)
"""A passkey alone: the device asks for a finger, a face or a PIN before it signs."""

PHISHING_RESISTANT = "phr"
"""Nothing that another site could have coaxed out of the person (IANA's registry, by OpenID EAP §2)."""
TWO_FACTORS = "https://refeds.org/profile/mfa"
"""Two factors of different kinds (REFEDS MFA profile)."""
CLASSES = (PHISHING_RESISTANT, TWO_FACTORS)
"""The classes that a sign-in here can be of, the best first; a password alone is of none."""


def classes(methods: Iterable[str]) -> tuple[str, ...]:
    """The classes that a sign-in by *methods* meets, the best first: a passkey is two factors too."""
    used = frozenset(methods)
    met = {PHISHING_RESISTANT: Method.POSSESSION in used, TWO_FACTORS: Method.MULTIPLE in used}
    return tuple(each for each in CLASSES if met[each])


def claims(methods: tuple[str, ...]) -> dict[str, object]:
    """What a token says of a sign-in by *methods* (RFC 9068 §2.2.1): nothing if nobody noted them."""
    best = classes(methods)[:1]
    return ({"amr": list(methods)} if methods else {}) | ({"acr": best[0]} if best else {})
