"""A new password as a form sends it: twice, and judged; what is wrong with it is told in words for the page."""

from collections.abc import Callable

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue

from ...accounts.errors import Busy
from ...accounts.password_rules import PasswordRefused
from ...protocol.msg import msg
from ..languages import told, translated
from ..stale import again
from .judgement import BUSY

DIFFERENT = msg("The two passwords are not the same. Nothing was changed; type it twice the same.")
NOT_TAKEN = msg("This password was not taken: {}.")

Page = Callable[[], ResponseReturnValue]


def set_by(page: Page, act: Callable[[str], ResponseReturnValue]) -> ResponseReturnValue:
    """What *act* answers with the form's new password; *page* again where that is not taken."""
    password = request.form.get("new_password", "")
    if password != request.form.get("repeated"):
        return again(page, DIFFERENT, 400)
    try:
        return act(password)
    except PasswordRefused as refused:
        return again(page, translated(NOT_TAKEN).format(told(refused)), 400)
    except Busy as busy:
        return _later(again(page, BUSY, 503), busy.retry_after)


def _later(answer: ResponseReturnValue, seconds: int) -> Response:
    response = make_response(answer)
    response.headers["Retry-After"] = str(seconds)
    return response
