"""Authorization requests whose answer leads straight back to the client: no page is made for them, so no Flask either.

They are most of those that there are: from a person who is signed in, for what they have allowed before. Whatever takes
more than that is left to the views, from its beginning: nothing was decided about it then (`web.left`).
"""

from typing import Any

from flask import Flask
from werkzeug.sansio.http import parse_cookie
from werkzeug.urls import iri_to_uri
from werkzeug.utils import redirect

from ...protocol import form
from ...protocol.audit import MOST_AGENT, Origin
from ...protocol.errors import OAuthError
from ...protocol.form import Form
from ...protocol.grant_term import GrantOver, SessionOver
from ...protocol.trace.step import Cause, Step
from ...services.deployment import Deployment
from ...services.gravity import asks_to_destroy
from ...services.proposal import Person, Proposal
from ...services.tool_limit import Unusable
from ...store.sessions import Session
from .. import attempt, cookies, headers, left, seen
from ..backchannel.response import Response
from ..left import Left
from .sign_in_asked import is_enough

SIGNED_IN = "_user_id"  # where Flask-Login keeps who is


class AtOnce:
    """Answers what can be answered at once, for the application *app* of *deployment*."""

    def __init__(self, app: Flask, deployment: Deployment) -> None:
        self._app = app
        self._deployment = deployment
        self._sessions = cookies.Sessions()
        self._signed_in_by = cookies.name(cookies.SESSION, deployment.settings)
        always = {**headers.of_leading_away(deployment.settings), "Cache-Control": "no-store", "Vary": "Cookie"}
        self._headers = [("Content-Type", "text/html; charset=utf-8"), *always.items()]

    def answer(self, environ: dict[str, Any]) -> Response | None:
        """The way back to the client, with a code; None for whatever else is to be said."""
        if environ["REQUEST_METHOD"] != "GET" or len(environ.get("QUERY_STRING", "")) > attempt.MOST_QUERY:
            return None
        brought = parse_cookie(environ.get("HTTP_COOKIE"))
        device, cookie = cookies.device_of(brought, self._deployment.settings), brought.get(self._signed_in_by)
        if not device or not cookie:
            return None
        try:
            asked_for = form.parse(environ.get("QUERY_STRING", ""))
        except OAuthError:
            return None
        known = Left()
        try:
            session = self._session(cookie, asked_for, device, known) if _may_need_nobody(asked_for) else None
            target = self._target(environ, asked_for, session, device, known) if session else None
        except (GrantOver, SessionOver, Unusable):
            known.secret, target = None, None
        except OAuthError:
            target = None
        except Exception as wrong:  # noqa: BLE001 - told and answered where views fail: not tried again
            known.wrong, target = wrong, None
        if target is None:
            environ[left.KEY] = known
            return None
        return self._leading_to(target, device)

    def _session(self, cookie: str, asked_for: Form, device: str, known: Left) -> Session | None:
        """That of *cookie*, if something stands where its person is asked."""
        place = attempt.place_of(asked_for, device)
        secret = self._sessions.kept(self._app, cookie).get(SIGNED_IN) if place else None
        if not secret:
            return None
        found = self._deployment.sessions.find(secret, place)
        known.found(secret, found)
        if found is None or found.stood is None or found.has_other_role:
            return None
        standing = found.stood.standing
        return found if standing.granted or standing.consented else None

    def _target(
        self, environ: dict[str, Any], asked_for: Form, session: Session, device: str, known: Left
    ) -> str | None:
        """Where the browser is sent with a code, once it is written down; None where there has to be a look.

        Raises as the steps of `services.authorization`.
        """
        found = self._deployment
        if found.call_ceilings.pages.wait(session.user.id) > 0 or found.second_factors.owes(session):
            return None
        attempted = found.tracing.attempt(environ["QUERY_STRING"], asked_for)
        agent = environ.get("HTTP_USER_AGENT", "")[:MOST_AGENT]
        origin = Origin(environ["REMOTE_ADDR"], attempted.reference, agent)
        asked = found.authorization.check(asked_for, found.authorization.way(asked_for, origin))
        fresh = found.second_factors.is_fresh(session, found.settings.fresh_sign_in)
        person = Person.of(session, device, fresh=fresh)
        if not is_enough(session, asked.request):
            return None
        proposal = found.authorization.propose(asked, person, origin)
        if not _needs_nobody(proposal, person) or found.call_ceilings.pages.take(session.user.id) > 0:
            return None
        known.counted = True
        target = found.authorization.approve(proposal, proposal.proposed, person, origin, silent=True)
        found.tracing.step(attempted, Step.CONSENT, Cause.REMEMBERED, origin, user_id=session.user.id)
        noted = seen.of(environ)
        noted.endpoint, noted.route, noted.correlation_id = "authorize", attempt.PAGE, origin.correlation_id
        return target

    def _leading_to(self, target: str, device: str) -> Response:
        body = redirect(target, 303).get_data()
        own = [
            ("Content-Length", str(len(body))),
            ("Location", iri_to_uri(target)),
            ("Set-Cookie", cookies.device_kept(device, self._deployment.settings)),
        ]
        return Response(303, [*self._headers, *own], body)


def _may_need_nobody(asked_for: Form) -> bool:
    """Whether there is a point in finding out: a client on somebody's device is always asked for, and so is consent."""
    is_hosted = (asked_for.get("redirect_uri") or "").startswith("https://")
    return is_hosted and "consent" not in (asked_for.get("prompt") or "")


def _needs_nobody(proposal: Proposal, person: Person) -> bool:
    """Whether *proposal* stands as it is proposed, no rule takes anything of it, and no proof is asked for it."""
    if proposal.must_ask or proposal.ruling.out or not (person.fresh or not asks_to_destroy(proposal)):
        return False
    scopes = proposal.proposed.scopes & proposal.names
    return bool(scopes) and not proposal.lacking(proposal.proposed.scopes)
