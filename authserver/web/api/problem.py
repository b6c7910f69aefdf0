"""What went wrong, as ``application/problem+json`` (RFC 9457)."""

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError

from ..backchannel.response import NO_STORE, Headers, Response

TYPE = "application/problem+json"
SAY_WHAT_WAS_SEEN = "say by If-Match which state you agree to: the ETag of what you have seen"
CHANGED = "it has changed since you saw it; nothing was done, look again"


class Problem(Exception):
    """An answer that is no success: its *status*, and in *detail* the cause and what to do, for a person.

    ``more`` are further members of the document, ``headers`` of the answer.
    """

    def __init__(self, status: int, detail: str, *, headers: Headers | None = None, **more: Any) -> None:  # noqa: ANN401
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or []
        self.more = more


def answer(problem: Problem, correlation_id: str) -> Response:
    """The wire form of *problem*; the log knows it by *correlation_id*."""
    said = {
        "type": "about:blank",  # RFC 9457 §4.2.1: the status says what kind it is
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "correlation_id": correlation_id,
        **problem.more,
    }
    headers = [("Content-Type", TYPE), *NO_STORE, ("X-Correlation-Id", correlation_id), *problem.headers]
    return Response(problem.status, headers, json.dumps(said).encode())


def invalid(where: str, found: ValidationError) -> Problem:
    """What is wrong with the parameters or the body (*where*), member by member, without what was sent."""
    errors = [{"member": _path(each["loc"]), "problem": each["msg"]} for each in found.errors(include_input=False)]
    return Problem(400, f"the {where} is not right: see errors", errors=errors)


def _path(location: Iterable[str | int]) -> str:
    return ".".join(map(str, location))
