"""Where the running request came from, under one correlation id for log, audit, flow trace and error page."""

from typing import cast

from flask import g, request

from ..protocol.audit import MOST_AGENT, Origin
from ..protocol.trace import reference
from . import attempt, seen


def origin() -> Origin:
    """The request's origin. Its address is the one behind the trusted proxies: the front has set it.

    The correlation id of a page is a reference for people. All pages of one attempt to connect have the attempt's.
    """
    if "origin" not in g:
        found = attempt.running()
        agent = request.headers.get("User-Agent", "")[:MOST_AGENT]
        g.origin = Origin(request.remote_addr or "", found.reference if found else reference.fresh(), agent)
        seen.of(request.environ).correlation_id = g.origin.correlation_id
    return cast(Origin, g.origin)
