"""A name and a password, judged; what is wrong with them is told in words for the page that asked."""

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue

from ...accounts.errors import Busy, TryLater, WrongCredentials
from ...protocol.msg import msg
from ...protocol.trace.step import Cause
from ...store.user import User
from .. import cookies
from ..deployment import deployment
from ..languages import ngettext, translated
from ..origin import origin
from ..stale import Page, again

WRONG = msg("That name and password do not go together.")
DELAYED = msg("Too many attempts. Wait {} and try again; until then, not even the right one works.")
MAILS = msg("That was asked for too often from here. Wait {} and try again.")
BUSY = msg("Many people are signing in at this moment. Please try again in a few seconds.")


class NotJudgedRight(Exception):
    """Why not, in words and for a trace; ``status`` is the page's, ``retry_after`` in seconds if trying again helps."""

    def __init__(self, problem: str, status: int, cause: Cause, retry_after: int | None = None) -> None:
        super().__init__()
        self.problem, self.status, self.cause, self.retry_after = problem, status, cause, retry_after

    def on(self, page: ResponseReturnValue) -> Response:
        """*page*, which shows the problem, as an answer."""
        response = make_response(page)
        response.status_code = self.status
        if self.retry_after is not None:
            response.headers["Retry-After"] = str(self.retry_after)
        return response


def too_many(page: Page, delayed: TryLater) -> Response:
    """*page* again, for whoever has to wait before they have more mail sent."""
    told = translated(MAILS).format(_duration(delayed.retry_after))
    response = make_response(again(page, told, 429))
    response.headers["Retry-After"] = str(delayed.retry_after)
    return response


def judge(username: str, wrong: str = WRONG) -> User:
    """The person that *username* and the form's password belong to. Raises `NotJudgedRight`."""
    try:
        password = request.form.get("password", "")
        return deployment().sign_in.attempt(username, password, origin(), cookies.known_device())
    except WrongCredentials:
        raise NotJudgedRight(wrong, 400, Cause.WRONG_PASSWORD) from None
    except Busy as busy:
        raise NotJudgedRight(BUSY, 503, Cause.SIGN_IN_BUSY, busy.retry_after) from None
    except TryLater as later:
        raise delayed(later) from None


def delayed(later: TryLater) -> NotJudgedRight:
    """That nothing is judged for a while, and for how long."""
    told = translated(DELAYED).format(_duration(later.retry_after))
    return NotJudgedRight(told, 429, Cause.SIGN_IN_DELAYED, later.retry_after)


def _duration(seconds: int) -> str:
    if seconds < 120:
        return ngettext("%(num)d second", "%(num)d seconds", seconds)
    return ngettext("%(num)d minute", "%(num)d minutes", -(-seconds // 60))
