"""Pages: how many of them one person, or one address where nobody is signed in, may ask for."""

from flask import Flask, request

from ..services.ceilings import refuse
from . import left, signed_in
from .deployment import deployment
from .origin import origin

UNCOUNTED = "static"


def install(app: Flask) -> None:
    """Count what is asked for before anything else is done about it."""
    app.before_request(_count)


def _count() -> None:
    if request.endpoint == UNCOUNTED:
        return
    ceilings = deployment().call_ceilings
    visitor = signed_in.visitor()
    if left.of(request.environ).counted:
        return
    if visitor is not None:
        refuse(ceilings.pages.take(visitor.user.id), "person")
    else:
        refuse(ceilings.visits.take(origin().site), "address")
