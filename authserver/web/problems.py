"""Problems as pages: what happened, what to do, and the id under which the log knows more. The one place for them."""

import logging

import structlog
from flask import Flask, Response, current_app, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from ..protocol.errors import OAuthError, SlowDown, TemporarilyUnavailable
from ..protocol.msg import msg
from ..protocol.registry.known import registry
from ..protocol.trace.step import Cause
from ..store.failures import UNAVAILABLE, Unavailable, reason
from . import client_problems, seen, tracing
from .origin import origin
from .problem import Problem, Refused

log = structlog.get_logger(__name__)
LONGEST_LOGGED = 200  # characters of what a stranger sent


MALFORMED = Problem(
    msg("The app's request cannot be read"),
    msg("The app that sent you here asked in a way that this server does not understand."),
    (msg("Start again from the app. If it happens again, tell the app's maker what it says below."),),
)
BY_STATUS = {
    400: Problem(msg("That request cannot be read"), msg("Something in the request is malformed.")),
    403: Problem(msg("This is not open to you"), msg("Your account may not do that.")),
    404: Problem(msg("There is nothing here"), msg("The address may be mistyped, or what was here is gone.")),
    405: Problem(msg("That does not work here"), msg("This address does not take this kind of request.")),
    413: Problem(msg("That was too much"), msg("The request is larger than this server accepts.")),
    429: Problem(
        msg("Please slow down"),
        msg("There were too many requests from here."),
        (msg("Wait a moment, then try again."),),
    ),
    500: Problem(
        msg("Something went wrong here"), msg("It is not your fault. It was written to the log."), (msg("Try again."),)
    ),
    503: Problem(
        msg("Not available right now"), msg("This server is too busy or restarting."), (msg("Try again in a moment."),)
    ),
}


def install(app: Flask) -> None:
    """Answer errors of all kinds with a page."""
    app.register_error_handler(OAuthError, _refused)
    app.register_error_handler(HTTPException, _http)
    for each in UNAVAILABLE:
        app.register_error_handler(each, _unavailable)
    app.register_error_handler(Exception, _unexpected)


def page(problem: Problem, status: int, *, detail: str = "", retry_after: int | None = None) -> Response:
    """The page of *problem*; *detail* is one line for whoever made the app."""
    shown = {"problem": problem, "status": status, "detail": detail, "known_clients": registry().clients}
    try:
        body = render_template("problem.html", **shown)
    except Exception as failed:  # noqa: BLE001 - the pages' frame asks the database who is signed in
        body = _bare(problem, failed)
    response = make_response(body, status)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _bare(problem: Problem, failed: Exception) -> str:
    """*problem* where what fails would fail again in the frame of all pages: a page without one."""
    known = {"private": repr(failed)[:LONGEST_LOGGED], "correlation_id": origin().correlation_id}
    log.error("page of a problem failed", path=request.path, **known)
    return current_app.jinja_env.get_template("bare_problem.html").render(problem=problem)


def note(error: OAuthError) -> None:
    """Write *error* to the log, with what nobody else may read."""
    seen.of(request.environ).refused(error)
    log.log(
        logging.INFO if error.status_code < 500 else logging.ERROR,
        "request refused",
        path=request.path,
        error=error.error,
        description=error.description,
        private=error.private,
        client_id=request.args.get("client_id", "")[:LONGEST_LOGGED],
        address=origin().address,
        correlation_id=origin().correlation_id,
    )


def _refused(error: OAuthError) -> Response:
    note(error)
    tracing.refused(error)
    # A 401 would need a challenge that browsers cannot meet (RFC 9110 §11.6.1).
    status = error.status_code if error.status_code in (413, 429, 500, 503) else 400
    problem = client_problems.of(error) or _other(error)
    said = str(error.description)
    detail = str(error.error) if said in problem.happened else f"{error.error}: {said}"
    return page(problem, status, detail=detail, retry_after=error.retry_after)


def _other(error: OAuthError) -> Problem:
    match error:
        case SlowDown():
            return BY_STATUS[429]
        case TemporarilyUnavailable():
            return BY_STATUS[503]
        case _:
            return BY_STATUS[500] if error.status_code >= 500 else MALFORMED


def _http(error: HTTPException) -> HTTPException | Response:
    if error.code is None or error.code < 400:
        return error
    seen.failed(f"http_{error.code}")
    tracing.missing(error.code)
    log.info("page refused", status=error.code, path=request.path, correlation_id=origin().correlation_id)
    known = BY_STATUS.get(error.code, BY_STATUS[400 if error.code < 500 else 500])
    response = page(error.problem if isinstance(error, Refused) else known, error.code)
    for header, value in error.get_headers():
        if header in ("Allow", "Retry-After"):
            response.headers[header] = value
    return response


def _unavailable(error: Unavailable) -> Response:
    seen.failed("temporarily_unavailable")
    log.error("database not available", private=reason(error), correlation_id=origin().correlation_id)
    tracing.failed(Cause.NOT_AVAILABLE)
    return page(BY_STATUS[503], 503, retry_after=1)


def _unexpected(error: Exception) -> Response:
    seen.failed("server_error")
    log.error("request failed", exc_info=error, path=request.path, correlation_id=origin().correlation_id)
    tracing.failed(Cause.SERVER_FAULT)
    return page(BY_STATUS[500], 500)
