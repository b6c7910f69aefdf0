"""The attempt to connect that the running request belongs to: an authorization request, or a sign-in on its way."""

from contextlib import suppress
from typing import cast

from flask import g, request

from ..protocol import credential, form, redirect_uri
from ..protocol.errors import InvalidRequest
from ..protocol.form import Form
from ..services.traces.tracing import Attempt
from ..store.failures import UNAVAILABLE
from ..store.standing import Place
from . import cookies, next_page
from .deployment import deployment
from .local import itself

PAGE = "/authorize"  # below the issuer's own path
MOST_QUERY = 4500  # characters; encoded once more for the way through sign-in, it still fits a request line


def running() -> Attempt | None:
    """That of the running request; None for a page that leads nowhere else."""
    kept = itself(g)
    if "attempt" not in kept:
        query = _query()
        kept.attempt = None
        with suppress(*UNAVAILABLE):  # a reference is derived of what is kept there
            kept.attempt = None if query is None else deployment().tracing.attempt(query, _parameters())
    return cast(Attempt | None, kept.attempt)


def parameters() -> Form:
    """The parameters of the running authorization request. Raises `InvalidRequest`."""
    kept = itself(g)
    found: Form | None = kept.get("parameters")
    if found is None:
        query = itself(request).query_string
        if len(query) > MOST_QUERY:
            raise InvalidRequest(f"the authorization request is longer than {MOST_QUERY} characters")
        found = kept.parameters = form.parse(query)
    return found


def place() -> Place | None:
    """Where the running request seems to ask somebody to decide, if it is one of authorization: nothing is checked."""
    asked = _parameters()
    return place_of(asked, cookies.device()) if asked else None


def place_of(asked: Form, device: str) -> Place | None:
    """Where the authorization request *asked* seems to ask somebody with *device* to decide: nothing is checked."""
    if len(asked.resources) != 1:
        return None
    client_id, uri = asked.get("client_id"), asked.get("redirect_uri")
    if client_id is None or uri is None:
        return None
    try:
        host = redirect_uri.host(uri)
    except ValueError:
        return None
    return Place(client_id, host, asked.resources[0], credential.digest(device))


def _parameters() -> Form | None:
    if itself(request).path != PAGE:
        return None
    try:
        return parameters()
    except InvalidRequest:
        return None


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
