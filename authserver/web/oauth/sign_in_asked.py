"""Whether the sign-in of whoever is there is enough for what is asked, and where they better it (RFC 9470 §5)."""

from ...protocol import amr
from ...protocol.authorization import AuthorizationRequest
from ...protocol.errors import LoginRequired, UnmetAuthenticationRequirements
from ...store.factors import Kind
from ...store.sessions import Session
from .. import next_page, signed_in
from ..deployment import deployment
from ..signed_in import Visitor

JUST_NOW = 60  # seconds: whoever signs in because of ``max_age`` or ``prompt=login`` comes back to it within them


def page_before(asked: AuthorizationRequest, slack: int) -> str | None:
    """The page where somebody signs in, or again, before they see what is asked; None if nothing lacks.

    However recent the sign-in is to be, one in the last *slack* seconds will do. Raises `LoginRequired` where no page
    may be shown, and `UnmetAuthenticationRequirements`.
    """
    person = signed_in.visitor()
    page = next_page.sign_in() if person is None else _page_for(person, asked, slack)
    if page and "none" in asked.prompt:
        raise LoginRequired("nobody is signed in" if person is None else "the sign-in is not enough")
    return page


def _page_for(person: Visitor, asked: AuthorizationRequest, slack: int) -> str | None:
    if page := signed_in.owed(person):
        return page
    if is_enough(person.session, asked, slack):
        return None
    if not _is_late(person.session, asked, slack):
        _need_factor(person, asked.classes)
    return next_page.to_sign_in_again()


def is_enough(session: Session, asked: AuthorizationRequest, slack: int = JUST_NOW) -> bool:
    """Whether the sign-in of *session* is as strong as *asked* wants, and as recent, or of the last *slack* seconds."""
    strong = not asked.classes or set(asked.classes).intersection(amr.classes(session.methods))
    return bool(strong) and not _is_late(session, asked, slack)


def _is_late(session: Session, asked: AuthorizationRequest, slack: int) -> bool:
    wanted = 0 if "login" in asked.prompt else asked.max_age
    return wanted is not None and session.auth_age > max(wanted, slack)


def _need_factor(person: Visitor, wanted: tuple[str, ...]) -> None:
    """Nothing, if *person* has a factor by which they can meet one of *wanted*.

    Raises `UnmetAuthenticationRequirements`.
    """
    factors = deployment().stores.factors.of_user(person.user.id) if deployment().second_factors.are_used else ()
    ways = (amr.BY_PASSKEY if factor.kind is Kind.PASSKEY else amr.BY_CODE for factor in factors)
    if not any(set(wanted).intersection(amr.classes(way)) for way in ways):
        raise UnmetAuthenticationRequirements("this person cannot sign in as acr_values asks")
