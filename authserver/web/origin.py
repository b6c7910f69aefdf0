"""Where the running request came from, under one correlation id for log, audit, flow trace and error page."""

from flask import g, request

from ..protocol.audit import MOST_AGENT, Origin
from ..protocol.trace import reference
from . import attempt, seen
from .local import itself


def origin() -> Origin:
    """The request's origin. Its address is the one behind the trusted proxies: the front has set it.

    The correlation id of a page is a reference for people. All pages of one attempt to connect have the attempt's.
    """
    kept = itself(g)
    found: Origin | None = kept.get("origin")
    if found is None:
        asked, attempted = itself(request), attempt.running()
        agent = asked.headers.get("User-Agent", "")[:MOST_AGENT]
        found = Origin(asked.remote_addr or "", attempted.reference if attempted else reference.fresh(), agent)
        seen.of(asked.environ).correlation_id = found.correlation_id
        kept.origin = found
    return found
