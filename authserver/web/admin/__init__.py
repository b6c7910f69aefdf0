"""The console: what an administrator sees and stops. Each module is one page with its actions; all are for admins only.

Lists are read through the stores' ``page``; an action is a form with a page of its own that says what will happen.
"""

from flask import Blueprint, Flask, request
from flask.typing import ResponseReturnValue

from ..signed_in import gate

blueprint = Blueprint("admin", __name__, url_prefix="/admin")


def close_to_others(app: Flask) -> None:
    """Let no page of the console answer anyone else; to be called before the CSRF check is installed.

    That check answers a stale form with the page that it is on: it must not come first.
    """

    @app.before_request
    def admins_only() -> ResponseReturnValue | None:
        return gate() if request.blueprint == blueprint.name else None


from . import alerts, audit, calls, clients, grants, keys, overview, people, servers, traces  # noqa: E402, F401 - views register themselves
