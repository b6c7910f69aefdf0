"""Forms that are out of date: the page again with a word about it, so that nothing is lost (AZ-13).

Each view that takes a POST names the one that shows its form, at the same URL: that one answers a stale form.
"""

from collections.abc import Callable

from flask import Flask, current_app, g, make_response, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import BadRequest

from ..protocol.msg import msg
from ..protocol.trace.step import Cause, Step
from . import tracing

Page = Callable[[], ResponseReturnValue]
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
STALE = msg(
    "This page was out of date, so nothing was done. Please look at it again and decide. If this goes on, allow "
    "cookies for this site."
)


def install(app: Flask) -> None:
    """Check the CSRF token of every form that Flask receives; it lives as long as the session."""
    app.config.update(WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_CHECK_DEFAULT=False)
    protection = CSRFProtect(app)

    @app.before_request
    def check() -> ResponseReturnValue | None:
        if request.method in SAFE:  # it would look for exemptions first
            return None
        try:
            protection.protect(apply_exemptions=True)
        except CSRFError:
            return _answer()
        return None


def form_of(page: Page) -> Callable[[Page], Page]:
    """Mark the view of a POST as receiving the form that *page* shows."""

    def mark(view: Page) -> Page:
        view.page = page  # type: ignore[attr-defined]
        return view

    return mark


def again(page: Page, note: str, status: int) -> ResponseReturnValue:
    """*page* once more, with a *note* on it; *status* unless it sends the browser elsewhere."""
    g.note = note
    response = make_response(page())
    if response.status_code == 200:
        response.status_code = status
    return response


def _answer() -> ResponseReturnValue:
    view = current_app.view_functions[request.endpoint or ""]
    page = getattr(view, "page", None)
    if page is None:
        raise BadRequest
    tracing.note(Step.CONSENT if request.endpoint == "oauth.decide" else Step.SIGN_IN, Cause.OUT_OF_DATE)
    return again(page, STALE, 400)
