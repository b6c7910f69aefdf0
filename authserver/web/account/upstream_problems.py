"""Why a sign-in with a provider came to nothing, as people read it: what happened, and what they can do."""

import structlog
from flask import Response, make_response, render_template, session

from ...accounts.errors import AccountDisabled, AccountExists, AnothersIdentity, NoAccount
from ...protocol.trace.step import Cause, Step
from ...services.upstream.errors import Another, Declined, Down, NotBegun, NotBelieved, Unmet
from ...settings.upstream import Upstream
from .. import signed_in, tracing
from ..origin import origin
from ..problem import Problem

log = structlog.get_logger(__name__)

ANEW = "anew"  # in the browser's session: the account that is signed in there is not the one that is wanted
RETRY = "Try again."
OTHERWISE = "If you have a password here, sign in with that."
ADMINISTRATOR = "If it happens again, tell your administrator the reference below."

WORDS: dict[type[Exception], tuple[int, Problem]] = {
    Down: (
        503,
        Problem(
            "{} does not answer",
            "You were not signed in: {} could not be reached, or is out of order. It is not your fault.",
            ("Wait a moment, then try again.", OTHERWISE),
        ),
    ),
    NotBegun: (
        400,
        Problem(
            "That sign-in is over",
            "It was used already, took longer than ten minutes, or did not begin in this browser. Nothing was done.",
            ("Begin again on the sign-in page of this server. If this goes on, allow cookies for this site.",),
        ),
    ),
    Declined: (
        400,
        Problem(
            "{} did not sign you in",
            "You, or {}, ended the sign-in there.",
            (RETRY, OTHERWISE, ADMINISTRATOR),
        ),
    ),
    NotBelieved: (
        502,
        Problem(
            "The answer of {} was refused",
            "What came back is not what {} should have sent, so you were not signed in. It was written to the log.",
            (RETRY, ADMINISTRATOR),
        ),
    ),
    Unmet: (
        403,
        Problem(
            "Your account at {} does not open this server",
            "You signed in at {}, but this server lets in only some of its people.",
            ("If you have another account there, sign in with that one.", "Ask your administrator to be let in."),
        ),
    ),
    Another: (
        403,
        Problem(
            "That is another account",
            "The account that you used at {} is not linked to whoever is signed in here.",
            ("Try again with the account that you signed in with before.",),
        ),
    ),
    NoAccount: (
        403,
        Problem(
            "There is no account for you here",
            "You signed in at {}, but no account of this server belongs to you.",
            ("Ask your administrator for an account.", OTHERWISE.replace("that.", "that, and link {} to it.")),
        ),
    ),
    AccountExists: (
        409,
        Problem(
            "There is an account with your address already",
            "It is not linked to your account at {}, so it stays closed.",
            ("Sign in to it with your password, then link {} on the page “Sign-in with providers”.",),
        ),
    ),
    AccountDisabled: (
        403,
        Problem("Your account is disabled", "An administrator has disabled it.", ("Ask your administrator.",)),
    ),
    AnothersIdentity: (
        409,
        Problem(
            "That account belongs to somebody else here",
            "The account that you used at {} opens another account of this server. Nothing was changed.",
            ("Use another account there, or sign in here as the one whom it belongs to and unlink it.",),
        ),
    ),
}
NOT_RIGHT = frozenset({Unmet, Another, NoAccount, AccountExists, AccountDisabled, AnothersIdentity})


def failure(upstream: Upstream, failed: Exception, page: str | None) -> Response:
    """The page that says why; *page* is where the person wanted to go."""
    log.info("upstream.refused", upstream=upstream.id, why=str(failed), correlation_id=origin().correlation_id)
    tracing.note(Step.SIGN_IN, Cause.UPSTREAM_REFUSED if type(failed) in NOT_RIGHT else Cause.UPSTREAM_FAILED)
    if type(failed) in NOT_RIGHT and signed_in.visitor() is None:
        session[ANEW] = True  # or the next attempt would bring the same account again, without a question
    status, problem = WORDS[type(failed)]
    said = Problem(
        problem.title.format(upstream.name),
        problem.happened.format(upstream.name),
        tuple(step.format(upstream.name) for step in problem.remedy),
    )
    body = render_template("account/upstream_problem.html", problem=said, status=status, page=page)
    response = make_response(body, status)
    if status == 503:
        response.headers["Retry-After"] = "30"
    return response
