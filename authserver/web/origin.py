"""Where the running request came from, under one correlation id for log, audit and error page."""

import secrets
from typing import cast

from flask import g, request

from ..protocol.audit import Origin


def origin() -> Origin:
    """The request's origin. Its address is the one behind the trusted proxies: the front has set it."""
    if "origin" not in g:
        g.origin = Origin(request.remote_addr or "", secrets.token_hex(8))
    return cast(Origin, g.origin)
