"""What pages tell of the attempt to connect that they belong to; nothing, where they belong to none."""

from http import HTTPStatus

from flask import request
from sqlalchemy.exc import SQLAlchemyError

from ..protocol.errors import OAuthError
from ..protocol.trace.step import Cause, Step
from . import attempt, signed_in
from .deployment import deployment
from .origin import origin


def note(step: Step, cause: Cause, *, user_id: str | None = None) -> None:
    """That *step* came to *cause*."""
    found = attempt.running()
    if found is not None:
        deployment().tracing.step(found, step, cause, origin(), user_id=user_id or _person())


def refused(error: OAuthError) -> None:
    """That the authorization request was refused."""
    found = attempt.running()
    if found is not None:
        deployment().tracing.refused(found, Step.AUTHORIZATION, error, origin(), user_id=_person())


def failed(cause: Cause) -> None:
    """That the server failed: who is signed in is not asked then, that takes a database that works."""
    found = attempt.running()
    if found is not None:
        deployment().tracing.step(found, Step.AUTHORIZATION, cause, origin())


def missing(status: int) -> None:
    """That there is no page where somebody looked, if clients look there."""
    if status == HTTPStatus.NOT_FOUND:
        deployment().tracing.missing(request.path, origin())


def _person() -> str | None:
    try:
        visitor = signed_in.visitor()
    except SQLAlchemyError:  # what is told here is no reason for another answer than the one that is being given
        return None
    return visitor.user.id if visitor else None
