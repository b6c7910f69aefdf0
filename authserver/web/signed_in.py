"""Who is signed in, by Flask-Login over sessions that the database ends at once (AZ-10, TK-6).

The signed cookie carries the session's secret; whether that session lives, its row decides at each request.
"""

from collections.abc import Callable, Iterable
from functools import wraps

from flask import Flask, Request, after_this_request, g, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user, login_user
from werkzeug.exceptions import NotFound

from ..protocol.amr import Method
from ..protocol.audit import Event
from ..store.sessions import Session
from ..store.user import User
from . import attempt, cookies, languages, left, next_page
from .deployment import deployment
from .local import itself
from .origin import origin

LONGEST_AGENT = 200  # characters of what a browser says of itself
View = Callable[[], ResponseReturnValue]


class Visitor(UserMixin):  # type: ignore[misc]
    """A signed-in person in one browser, as Flask-Login knows them."""

    def __init__(self, secret: str, signed_in: Session) -> None:
        self.secret = secret
        self.session = signed_in

    def get_id(self) -> str:
        """What the cookie carries: the session's secret, not the person's id."""
        return self.secret

    @property
    def user(self) -> User:
        """The person."""
        return self.session.user


def install(app: Flask) -> None:
    """Let Flask-Login find visitors by their session."""
    # It would read a cookie of its own before it asks for `_recalled`, and fail at some: this is no name of any.
    app.config["REMEMBER_COOKIE_NAME"] = ";"
    manager = LoginManager(app)
    # Its own check of address and browser would sign people out as their network changes.
    manager.session_protection = None
    manager.user_loader(_find)
    manager.request_loader(_recalled)
    manager.unauthorized_handler(lambda: redirect(next_page.sign_in(), 303))


def visitor() -> Visitor | None:
    """Who is signed in, or None."""
    person = current_user._get_current_object()  # itself, for each look through the proxy asks Flask-Login again
    return person if isinstance(person, Visitor) else None


def the_visitor() -> Visitor:
    """Who is signed in. Raises `NotFound` if their session has ended since the request began."""
    person = visitor()
    if person is None:
        raise NotFound
    return person


def begin(
    user: User, methods: Iterable[Method] = (Method.PASSWORD,), auth_age: int = 0, *, stays: bool = False
) -> None:
    """Sign *user* in, in a cookie session begun anew: nothing that was set before the sign-in survives it.

    They proved who they are by *methods*, *auth_age* seconds ago. *stays*: they want this browser to stay signed in.
    Raises `WrongCredentials` if they did so by a password that is theirs no more.
    """
    end()
    kept = deployment().remembered.begin() if stays else None
    staying = kept[1] if kept else None
    secret = deployment().sessions.open(user, origin(), _agent(), methods, auth_age, staying, cookies.device())
    if kept is not None:
        cookies.stay(kept[0], kept[1].lifetime)
    _go_on(secret)
    _speaks(user)
    deployment().sign_in.know(user, cookies.device())
    after_this_request(cookies.keep_device)


def confirm(person: Visitor, methods: Iterable[Method], auth_age: int = 0) -> None:
    """*person* has proved again who they are, by *methods*, *auth_age* seconds ago.

    Their session has another secret from now on.
    """
    _go_on(deployment().sessions.confirm(person.session, origin(), methods, auth_age))
    _speaks(person.user)


def renew(person: Visitor, user: User | None = None) -> None:
    """Go on as *person* in a session begun anew, when all of theirs have ended: whoever had its secret has nothing.

    It is as old as the one that ended, and this browser does not stay signed in. *user* is who they are by now, if
    they have just changed that.
    """
    end()
    _go_on(deployment().sessions.reopen(person.session, user or person.user, origin(), _agent()))


def go_on_alone(person: Visitor, event: Event) -> None:
    """End all other sessions of *person*; theirs has another secret from now on: whoever had it has nothing.

    What was allowed until sign-out here goes on with it. This browser does not stay signed in.
    """
    _go_on(deployment().sessions.end_others(person.session, event))
    if cookies.staying() is not None:
        cookies.stay(None)


def end() -> None:
    """Sign out: the session ends on the server too, this browser forgets it, and does not stay signed in."""
    _end_session()
    _forget()
    if (kept := cookies.staying()) is not None:
        deployment().remembered.forget(kept, origin())
        cookies.stay(None)


def recognised(view: View) -> View:
    """*view* for whoever is signed in, whatever they still owe; others are sent to sign in."""
    return _guarded(view, lambda person: None)


def required(view: View) -> View:
    """*view* for whoever is signed in and owes no second factor; others are sent where they give it."""
    return _guarded(view, owed)


def freshly(view: View) -> View:
    """*view* for whoever proved a short while ago who they are; others do so first."""
    return _guarded(view, lambda person: next_page.to_sign_in_again() if is_stale(person) else None)


def owed(person: Visitor) -> str | None:
    """The page where *person* gives the second factor that they owe, or adds the one that they must have."""
    if not deployment().second_factors.owes(person.session):
        return None
    return next_page.to_sign_in_again() if person.session.has_factor else next_page.to_factors()


def is_stale(person: Visitor) -> bool:
    """Whether *person* has to prove who they are, before what reaches far: with the second factor, if they have one."""
    found = deployment()
    return not found.second_factors.is_fresh(person.session, found.settings.fresh_sign_in)


def _guarded(view: View, elsewhere: Callable[[Visitor], str | None]) -> View:
    @wraps(view)
    def guarded() -> ResponseReturnValue:
        person = visitor()
        page = next_page.sign_in() if person is None else elsewhere(person)
        return redirect(page, 303) if page else view()

    return guarded


def _find(secret: str) -> Visitor | None:
    known = left.of(itself(request).environ)
    looked = known.has_looked_for(secret)
    found = known.session if looked else deployment().sessions.find(secret, attempt.place())
    if found is None or not found.has_other_role:
        return Visitor(secret, found) if found else None
    # Who had this secret until now has not what the new role opens.
    new = deployment().sessions.renew(found, origin())
    if new is None:
        return None
    session["_user_id"] = new
    return _find(new)


def _recalled(request: Request) -> Visitor | None:
    """Who stays signed in with this browser, as it comes back without a session: to look at a page, not to send one."""
    kept = cookies.staying() if request.method == "GET" else None
    if kept is None:
        return None
    found = deployment().remembered.recall(kept, origin(), _agent())
    if found is None:
        cookies.stay(None)
        return None
    _forget()
    cookies.stay(found.token, found.seconds)
    return _go_on(found.session)


def _go_on(secret: str | None) -> Visitor | None:
    """Let this browser have the session of *secret*, if it lives."""
    found = _find(secret) if secret else None
    if found is not None:
        login_user(found)
    return found


def _speaks(user: User) -> None:
    """Keep for mail in which language *user* has just proved who they are, which a copied cookie does not."""
    language = languages.wanted()
    if language != user.language:
        deployment().stores.users.speaks(user.id, language)


def _agent() -> str:
    return request.user_agent.string[:LONGEST_AGENT]


def _end_session() -> None:
    person = visitor()
    if person is not None:
        deployment().sessions.end(person.secret, origin())


def _forget() -> None:
    session.clear()
    g.pop("csrf_token", None)
