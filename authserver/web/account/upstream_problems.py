"""Why a sign-in with a provider came to nothing, as people read it: what happened, and what they can do."""

import structlog
from flask import Response, make_response, render_template, session

from ...accounts.errors import AccountDisabled, AccountExists, AnothersIdentity, NoAccount
from ...protocol.msg import msg
from ...protocol.trace.step import Cause, Step
from ...services.upstream.errors import Another, Declined, Down, NotBegun, NotBelieved, Unmet
from ...settings.upstream import Upstream
from .. import signed_in, tracing
from ..languages import translated
from ..origin import origin
from ..problem import Problem

log = structlog.get_logger(__name__)

ANEW = "anew"  # in the browser's session: the account that is signed in there is not the one that is wanted
RETRY = msg("Try again.")
OTHERWISE = msg("If you have a password here, sign in with that.")
OTHERWISE_LINK = msg("If you have a password here, sign in with that, and link {} to it.")
ADMINISTRATOR = msg("If it happens again, tell your administrator the reference below.")

WORDS: dict[type[Exception], tuple[int, Problem]] = {
    Down: (
        503,
        Problem(
            msg("{} does not answer"),
            msg("You were not signed in: {} could not be reached, or is out of order. It is not your fault."),
            (msg("Wait a moment, then try again."), OTHERWISE),
        ),
    ),
    NotBegun: (
        400,
        Problem(
            msg("That sign-in is over"),
            msg(
                "It was used already, took longer than ten minutes, or did not begin in this browser. Nothing was done."
            ),
            (msg("Begin again on the sign-in page of this server. If this goes on, allow cookies for this site."),),
        ),
    ),
    Declined: (
        400,
        Problem(
            msg("{} did not sign you in"),
            msg("You, or {}, ended the sign-in there."),
            (RETRY, OTHERWISE, ADMINISTRATOR),
        ),
    ),
    NotBelieved: (
        502,
        Problem(
            msg("The answer of {} was refused"),
            msg(
                "What came back is not what {} should have sent, so you were not signed in. It was written to the log."
            ),
            (RETRY, ADMINISTRATOR),
        ),
    ),
    Unmet: (
        403,
        Problem(
            msg("Your account at {} does not open this server"),
            msg("You signed in at {}, but this server lets in only some of its people."),
            (
                msg("If you have another account there, sign in with that one."),
                msg("Ask your administrator to be let in."),
            ),
        ),
    ),
    Another: (
        403,
        Problem(
            msg("That is another account"),
            msg("The account that you used at {} is not linked to whoever is signed in here."),
            (msg("Try again with the account that you signed in with before."),),
        ),
    ),
    NoAccount: (
        403,
        Problem(
            msg("There is no account for you here"),
            msg("You signed in at {}, but no account of this server belongs to you."),
            (msg("Ask your administrator for an account."), OTHERWISE_LINK),
        ),
    ),
    AccountExists: (
        409,
        Problem(
            msg("There is an account with your address already"),
            msg("It is not linked to your account at {}, so it stays closed."),
            (msg("Sign in to it with your password, then link {} on the page “Sign-in with providers”."),),
        ),
    ),
    AccountDisabled: (
        403,
        Problem(
            msg("Your account is disabled"), msg("An administrator has disabled it."), (msg("Ask your administrator."),)
        ),
    ),
    AnothersIdentity: (
        409,
        Problem(
            msg("That account belongs to somebody else here"),
            msg("The account that you used at {} opens another account of this server. Nothing was changed."),
            (msg("Use another account there, or sign in here as the one whom it belongs to and unlink it."),),
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
        translated(problem.title).format(upstream.name),
        translated(problem.happened).format(upstream.name),
        tuple(translated(step).format(upstream.name) for step in problem.remedy),
    )
    body = render_template("account/upstream_problem.html", problem=said, status=status, page=page)
    response = make_response(body, status)
    if status == 503:
        response.headers["Retry-After"] = "30"
    return response
