"""Who has given the password and owes the second factor: the cookie carries a secret, the server's row decides."""

from flask import session

from ..store.half_sign_ins import HalfSignIn
from ..store.users import User
from . import signed_in
from .deployment import deployment
from .origin import origin

SECRET = "half_sign_in"  # noqa: S105 - the name of a field


def begin(user: User) -> None:
    """Let *user*, whose password was right, give the second factor, in a cookie session begun anew."""
    signed_in.end()
    session[SECRET] = deployment().second_factors.halves.begin(user, origin())


def waiting() -> HalfSignIn | None:
    """Half the sign-in of this browser, while it waits for the rest."""
    secret = session.get(SECRET)
    return deployment().second_factors.halves.find(secret) if secret else None
