"""Whether the sign-in of whoever is there is enough for what is asked, and where they better it (RFC 9470 §5)."""

from ...protocol import amr
from ...protocol.authorization import AuthorizationRequest
from ...protocol.errors import LoginRequired, UnmetAuthenticationRequirements
from ...store.factors import Kind
from .. import next_page, signed_in
from ..deployment import deployment
from ..signed_in import Visitor

JUST_NOW = 60  # seconds: whoever signs in because of a ``max_age`` comes back to it within them


def page_before(asked: AuthorizationRequest) -> str | None:
    """The page where somebody signs in, or again, before they see what is asked; None if nothing lacks.

    Raises `LoginRequired` where no page may be shown, and `UnmetAuthenticationRequirements`.
    """
    person = signed_in.visitor()
    page = next_page.sign_in() if person is None else _page_for(person, asked)
    if page and "none" in asked.prompt:
        raise LoginRequired("nobody is signed in" if person is None else "the sign-in is not enough")
    return page


def _page_for(person: Visitor, asked: AuthorizationRequest) -> str | None:
    if page := signed_in.owed(person):
        return page
    late = asked.max_age is not None and person.session.auth_age > max(asked.max_age, JUST_NOW)
    return next_page.to_sign_in_again() if late or _is_too_weak(person, asked.classes) else None


def _is_too_weak(person: Visitor, wanted: tuple[str, ...]) -> bool:
    """Whether *person* has to use another factor. Raises `UnmetAuthenticationRequirements` if they have none."""
    if not wanted or set(wanted).intersection(amr.classes(person.session.methods)):
        return False
    factors = deployment().stores.factors.of_user(person.user.id) if deployment().second_factors.are_used else ()
    ways = (amr.BY_PASSKEY if factor.kind is Kind.PASSKEY else amr.BY_CODE for factor in factors)
    if not any(set(wanted).intersection(amr.classes(way)) for way in ways):
        raise UnmetAuthenticationRequirements("this person cannot sign in as acr_values asks")
    return True
