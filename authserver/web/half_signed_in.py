"""Who has proved who they are, and owes the second factor: the cookie has a secret, the server the row."""

from collections.abc import Iterable

from flask import session

from ..protocol.amr import BY_PASSWORD, Method
from ..store.half_sign_ins import HalfSignIn
from ..store.user import User
from . import signed_in, staying
from .deployment import deployment
from .origin import origin

SECRET = "half_sign_in"  # noqa: S105 - the name of a field


def begin(user: User, methods: Iterable[Method] = BY_PASSWORD, auth_age: int = 0, *, stays: bool = False) -> None:
    """Let *user*, who proved by *methods* *auth_age* seconds ago who they are, give the second factor.

    The cookie session begins anew. *stays*: they want this browser to stay signed in, once they are. Raises
    `WrongCredentials` if they did so by a password that is theirs no more.
    """
    signed_in.end()
    staying.note(stays)
    session[SECRET] = deployment().second_factors.halves.begin(user, origin(), methods, auth_age)


def begin_again(person: signed_in.Visitor, methods: Iterable[Method], auth_age: int) -> None:
    """Let *person*, who proved again by *methods* *auth_age* seconds ago who they are, give the second factor too.

    Their session goes on meanwhile as it is: who breaks off has lost nothing, and gained nothing.
    """
    session[SECRET] = deployment().second_factors.halves.begin(person.user, origin(), methods, auth_age)


def of_visitor(half: HalfSignIn) -> signed_in.Visitor | None:
    """Who is signed in, if *half* is theirs: so they prove again who they are."""
    person = signed_in.visitor()
    return person if person is not None and person.user.id == half.user.id else None


def is_owed_by(user: User) -> bool:
    """Whether *user* has a second factor, which a password or a provider alone does not stand in for."""
    return deployment().second_factors.are_used and bool(deployment().stores.factors.of_user(user.id))


def waiting() -> HalfSignIn | None:
    """Half the sign-in of this browser, while it waits for the rest."""
    secret = session.get(SECRET)
    return deployment().second_factors.halves.find(secret) if secret else None
