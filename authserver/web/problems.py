"""Problems as pages: what happened, what to do, and the id under which the log knows more. The one place for them."""

import logging
from dataclasses import dataclass

import structlog
from flask import Flask, Response, make_response, render_template, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from ..protocol.errors import (
    ApprovalPending,
    InvalidClient,
    InvalidRedirectURI,
    OAuthError,
    RedirectHostNotAllowed,
    SlowDown,
)
from .origin import origin
from .words import plain

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """What a person reads: a title, what happened, and what they can do."""

    title: str
    happened: str
    remedy: tuple[str, ...] = ()


UNKNOWN_CLIENT = Problem(
    "This app is not registered here",
    "The app that sent you here used a registration that this server does not have, or no longer has. It may have "
    "been removed because it was unused, or this server was set up anew. Nothing was shared with the app.",
    (
        "In the app, remove the MCP server and add it again. The app then registers anew.",
        "If the same error comes back, clear the sign-in data that the app keeps (mcp-remote: the folder .mcp-auth).",
    ),
)
WRONG_ADDRESS = Problem(
    "The app asked for an address that it did not register",
    "You would have been sent on to an address that is not one of those this app registered. For your safety you "
    "were not sent there.",
    ("In the app, remove the MCP server and add it again. If it happens again, tell the app's maker.",),
)
ELSEWHERE = Problem(
    "This server does not send people there",
    "You would have been sent on to a website or app that this server’s administrator does not allow. Nothing was "
    "shared with the app.",
    ("Ask the administrator of this server whether the app may be used, and tell them what it says below.",),
)
MALFORMED = Problem(
    "The app's request cannot be read",
    "The app that sent you here asked in a way that this server does not understand.",
    ("Start again from the app. If it happens again, tell the app's maker what it says below.",),
)
BY_STATUS = {
    400: Problem("That request cannot be read", "Something in the request is malformed."),
    403: Problem("This page is for administrators", "Your account may not open it."),
    404: Problem("There is nothing here", "The address may be mistyped, or what was here is gone."),
    405: Problem("That does not work here", "This address does not take this kind of request."),
    413: Problem("That was too much", "The request is larger than this server accepts."),
    429: Problem("Please slow down", "There were too many requests from here.", ("Wait a moment, then try again.",)),
    500: Problem("Something went wrong here", "It is not your fault. It was written to the log.", ("Try again.",)),
    503: Problem("Not available right now", "This server is too busy or restarting.", ("Try again in a moment.",)),
}

BY_ERROR = (
    (InvalidClient, UNKNOWN_CLIENT),
    (RedirectHostNotAllowed, ELSEWHERE),
    (InvalidRedirectURI, WRONG_ADDRESS),
    (SlowDown, BY_STATUS[429]),
)


def install(app: Flask) -> None:
    """Answer errors of all kinds with a page."""
    app.register_error_handler(OAuthError, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _unavailable)
    app.register_error_handler(Exception, _unexpected)


def page(problem: Problem, status: int, *, detail: str = "", retry_after: int | None = None) -> Response:
    """The page of *problem*; *detail* is one line for whoever made the app."""
    body = render_template("problem.html", problem=problem, status=status, detail=detail)
    response = make_response(body, status)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def note(error: OAuthError) -> None:
    """Write *error* to the log, with what nobody else may read."""
    log.log(
        logging.INFO if error.status_code < 500 else logging.ERROR,
        "request refused",
        path=request.path,
        error=error.error,
        description=error.description,
        private=error.private,
        address=origin().address,
        correlation_id=origin().correlation_id,
    )


def _refused(error: OAuthError) -> Response:
    note(error)
    # A 401 would need a challenge that browsers cannot meet (RFC 9110 §11.6.1).
    status = error.status_code if error.status_code in (413, 429, 500, 503) else 400
    return page(_known(error), status, detail=f"{error.error}: {error.description}", retry_after=error.retry_after)


def _known(error: OAuthError) -> Problem:
    if isinstance(error, ApprovalPending):
        return waits(error)
    found = next((problem for kind, problem in BY_ERROR if isinstance(error, kind)), MALFORMED)
    return found if error.status_code < 500 else BY_STATUS.get(error.status_code, BY_STATUS[500])


def waits(error: ApprovalPending) -> Problem:
    """What a person reads whose app waits for an administrator, and what to tell them."""
    name = plain(error.name) or "An app without a name"
    return Problem(
        "This app has to be approved first",
        f"“{name}” has registered here, but nobody can use it before an administrator of this server approves it. "
        "Nothing was shared with the app.",
        (
            f"Ask an administrator to approve it. Tell them its name, “{name}”, and its client id: {error.client_id}",
            "When they have approved it, go back to the app and connect again.",
        ),
    )


def _http(error: HTTPException) -> HTTPException | Response:
    if error.code is None or error.code < 400:
        return error
    response = page(BY_STATUS.get(error.code, BY_STATUS[400 if error.code < 500 else 500]), error.code)
    for header, value in error.get_headers():
        if header in ("Allow", "Retry-After"):
            response.headers[header] = value
    return response


def _unavailable(error: OperationalError) -> Response:
    log.error("database not available", private=str(error.orig), correlation_id=origin().correlation_id)
    return page(BY_STATUS[503], 503, retry_after=1)


def _unexpected(error: Exception) -> Response:
    log.error("request failed", exc_info=error, path=request.path, correlation_id=origin().correlation_id)
    return page(BY_STATUS[500], 500)
