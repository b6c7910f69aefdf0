"""The attempt to connect that the running request belongs to: an authorization request, or a sign-in on its way."""

from contextlib import suppress
from typing import cast

from flask import g, request

from ..services.traces.tracing import Attempt
from ..store.failures import UNAVAILABLE
from . import next_page
from .deployment import deployment

PAGE = "/authorize"  # below the issuer's own path


def running() -> Attempt | None:
    """That of the running request; None for a page that leads nowhere else."""
    if "attempt" not in g:
        query = _query()
        g.attempt = None
        with suppress(*UNAVAILABLE):  # a reference is derived of what is kept there
            g.attempt = None if query is None else deployment().tracing.attempt(query)
    return cast(Attempt | None, g.attempt)


def belong_to(page: str) -> None:
    """Have the running request be one of the attempt that leads to *page*; its reference is that one's from here on."""
    query = _of(page)
    g.attempt = None if query is None else deployment().tracing.attempt(query)
    g.pop("origin", None)


def _query() -> str | None:
    """The query of the authorization request: this one, or the one to come back to."""
    if request.path == PAGE:
        return request.query_string.decode("latin-1")
    if request.endpoint not in ("account.sign_in", "account.attempt"):
        return None
    return _of(request.args.get("next", ""))  # its form posts to the same URL, and a body may be too large to be read


def _of(onwards: str) -> str | None:
    path, _, query = onwards.partition("?")
    return query if path == request.script_root + PAGE and next_page.is_own_page(onwards) else None
