"""The authorization endpoint's views, for asking and for deciding.

Each request passes the same steps: 1. who asks and where answers go (an error is a page), 2. what is asked for (an
error is the client's), 3. who is signed in, 4. what they have to decide, 5. the answer to the client.
"""

from collections.abc import Callable
from dataclasses import replace

from flask import Response, g, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ...protocol import credential, redirect_uri
from ...protocol.authorization import Returnable
from ...protocol.errors import (
    ConsentRequired,
    GrantPending,
    InvalidClient,
    InvalidScope,
    LoginRequired,
    OAuthError,
    PolicyRefused,
    SignInTooOld,
)
from ...protocol.grant_term import GrantOver, SessionOver
from ...protocol.msg import msg
from ...protocol.policy.rule import Effect
from ...protocol.trace.step import Cause, Step
from ...services.gravity import asks_to_destroy
from ...services.proposal import Asked, Choice, Person, Proposal
from ...services.tool_limit import Unusable
from ...store.pending_grants import TooManyWait
from .. import attempt, bodies, cookies, next_page, policy_problems, problems, signed_in, stale, tracing
from ..deployment import deployment
from ..languages import told
from ..origin import origin
from ..signed_in import Visitor
from ..words import CONTRADICTION
from . import blueprint, sign_in_asked
from .decision import LOOKING, Button, Decision

CHANGED = msg("What the app asks for has changed since this page was shown, so nothing was done. Please look again.")
MOST_FORM = 524_288  # bytes: of 1,000 tools, each with a name, a term and a limit in fields named after it
HALF_TICKED = msg("You ticked a tool without the permission that opens it. Now both are ticked: please look again.")
NOTHING_TICKED = msg("You allowed the app, but ticked nothing. Tick what it may do, or deny.")
OVER = msg("What you had allowed has just ended, so nothing was done. Please look again, and say for how long.")

Answer = Callable[[Proposal, Person], ResponseReturnValue]


@blueprint.get("/authorize")
def authorize() -> ResponseReturnValue:
    """What an app asks for: the page with the question, or at once the answer that was given before."""
    return _pass_steps(_ask)


@blueprint.post("/authorize")
@bodies.up_to(MOST_FORM)
@stale.form_of(authorize)
def decide() -> ResponseReturnValue:
    """The person's decision. The request is judged anew: the form says only what was ticked."""
    return _pass_steps(_decide)


@blueprint.after_request
def keep_device(response: Response) -> Response:
    """Grants are tied to a device, so the browser gets its cookie with the first request (AZ-14)."""
    return cookies.keep_device(response)


def _pass_steps(answer: Answer) -> ResponseReturnValue:
    service = deployment().authorization
    asked_for = attempt.parameters()
    way = service.way(asked_for, origin())
    try:
        asked = service.check(asked_for, way)
        # Who decides has read the page for a while: what was recent enough when it was shown still is.
        slack = sign_in_asked.JUST_NOW if answer is _ask else deployment().settings.fresh_sign_in
        visitor, page = signed_in.visitor(), sign_in_asked.page_before(asked.request, slack)
        if visitor is None or page:
            tracing.note(Step.AUTHORIZATION, Cause.SIGN_IN_NEEDED)
            return redirect(page or next_page.sign_in(), 303)
        return _judge(asked, _person(visitor), answer)
    except InvalidClient:
        raise  # it went while its request was looked at: still a page
    except OAuthError as error:
        problems.note(error)
        tracing.refused(error)
        silent = "none" in (asked_for.get("prompt") or "").split()
        return _tell(way, error) if silent else _show(way, error)


def _judge(asked: Asked, person: Person, answer: Answer) -> ResponseReturnValue:
    try:
        return _answer(asked, person, answer)
    except SessionOver:
        if "none" in asked.request.prompt:
            raise LoginRequired("the session has just ended") from None
        return redirect(next_page.sign_in(), 303)


def _answer(asked: Asked, person: Person, answer: Answer) -> ResponseReturnValue:
    propose = deployment().authorization.propose
    try:
        return answer(propose(asked, person, origin()), person)
    except GrantOver:  # in this moment: what stands there now is another proposal
        again = propose(asked, replace(person, stood=None), origin())
    try:
        return answer(again, person)
    except GrantOver:  # once more: whoever changes it so fast can be asked
        last = replace(again, must_ask=True)
        return answer(last, person) if answer is _ask else stale.again(lambda: _page(last), CHANGED, 409)


def _person(visitor: Visitor) -> Person:
    return Person.of(visitor.session, cookies.device(), fresh=not signed_in.is_stale(visitor))


def _admit(proposal: Proposal, person: Person) -> None:
    """Nothing, where there is something to decide on. Raises an `OAuthError`."""
    deployment().authorization.admission.admit(proposal, person, origin())
    if not proposal.names and not proposal.unknown:
        raise InvalidScope("this resource has no default scopes: ask for one")
    # Also where no page is shown: what is remembered of another device was allowed with a proof of its own.
    if not person.fresh and asks_to_destroy(proposal):
        raise SignInTooOld(private="what is asked for can destroy")


def _ask(proposal: Proposal, person: Person) -> ResponseReturnValue:
    _admit(proposal, person)
    silent = "none" in proposal.asked.request.prompt
    if not proposal.must_ask:
        answer = _allow(proposal, proposal.proposed, person, Cause.REMEMBERED)
        if not silent or make_response(answer).status_code == 303:
            return answer
    if silent:
        raise ConsentRequired("the person has to decide")
    tracing.note(Step.CONSENT, Cause.CONSENT_SHOWN)
    return _page(proposal)


def _decide(proposal: Proposal, person: Person) -> ResponseReturnValue:
    decision = Decision.parse(request.form, request.query_string.decode("ascii", "replace"))
    if decision.button is Button.ASK:
        return _ask_for(proposal, person)
    if decision.button is Button.DENY:
        tracing.note(Step.CONSENT, Cause.DENIED)
        return redirect(deployment().authorization.deny(proposal, person, origin()), 303)
    _admit(proposal, person)
    if decision.shown != proposal.digest:
        tracing.note(Step.CONSENT, Cause.OUT_OF_DATE)
        return stale.again(lambda: _page(proposal, proposal.proposed_for(decision.choice.until)), CHANGED, 409)
    if decision.button in LOOKING:
        return _page(proposal, decision.looked_at(proposal), decision.sought)
    if decision.keeps_another_end(proposal):
        tracing.note(Step.CONSENT, Cause.OUT_OF_DATE)
        note = OVER if proposal.standing_grant is None else CHANGED
        return stale.again(lambda: _page(proposal, decision.choice), note, 409)
    return _allow(proposal, decision.choice, person, Cause.ALLOWED, decision.code(signed_in.the_visitor().secret))


def _ask_for(proposal: Proposal, person: Person) -> ResponseReturnValue:
    """What waits for an administrator by a rule is asked for; the rest can be decided now.

    It need not be what the page said: whoever decides is shown it, and the person decides on it again afterwards.
    """
    if proposal.ruling.waiting(Effect.APPROVAL):
        try:
            g.note = policy_problems.ASKED[deployment().authorization.admission.ask(proposal, person, origin())]
        except TooManyWait:
            g.note = policy_problems.TOO_MANY
    _admit(proposal, person)
    return _page(proposal)


def _allow(
    proposal: Proposal, choice: Choice, person: Person, how: Cause, code: str | None = None
) -> ResponseReturnValue:
    if lacking := proposal.half_ticked(choice):
        both = replace(choice, scopes=choice.scopes | lacking)
        return stale.again(lambda: _page(proposal, both), HALF_TICKED, 400)
    if not choice.scopes & proposal.names:
        tracing.note(Step.CONSENT, Cause.NOTHING_CHOSEN)
        return stale.again(lambda: _page(proposal, proposal.proposed_for(choice.until)), NOTHING_TICKED, 400)
    if proposal.lacking(choice.scopes):
        return stale.again(lambda: _page(proposal, choice), CONTRADICTION, 400)
    try:
        silent = how is Cause.REMEMBERED
        target = deployment().authorization.approve(proposal, choice, person, origin(), code, silent=silent)
    except Unusable as unusable:
        note = told(unusable)
        return stale.again(lambda: _page(proposal, choice), note, 400)
    tracing.note(Step.CONSENT, how)
    return redirect(target, 303)


def _page(proposal: Proposal, choice: Choice | None = None, sought: str = "") -> ResponseReturnValue:
    """The page, with *choice* ticked or what is proposed, and of many tools those whose words have *sought*."""
    return render_template(
        "consent.html",
        proposal=proposal,
        choice=choice or proposal.proposed,
        sought=sought,
        page=credential.identifier(),
        may_once=deployment().authorization.may_allow_once(proposal),
        here=next_page.this_page(),
    )


def _show(way: Returnable, error: OAuthError) -> ResponseReturnValue:
    """An error where somebody can be shown a page: what policy refuses is told to the person, who can go back then."""
    match error:
        case SignInTooOld():
            return redirect(next_page.to_sign_in_again(), 303)
        case PolicyRefused() | GrantPending():
            target = way.error(error, deployment().settings.issuer)
            shown = {"problem": policy_problems.of(error), "host": redirect_uri.host(way.redirect_uri)}
            return make_response(render_template("not_allowed.html", **shown, target=target), 403)
        case _:
            return _tell(way, error)


def _tell(way: Returnable, error: OAuthError) -> ResponseReturnValue:
    """An error for the client: by redirect, or by a page that names the host until somebody is signed in (AZ-2)."""
    target, host = way.error(error, deployment().settings.issuer), redirect_uri.host(way.redirect_uri)
    if way.at_once or signed_in.visitor() is not None:
        return redirect(target, 303)
    return make_response(
        render_template("lead_back.html", client=way.client, host=host, error=error, target=target), 400
    )
