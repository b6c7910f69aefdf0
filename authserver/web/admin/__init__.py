"""The console: what an administrator sees and stops. Each module is one page with its actions.

Each view says by which permission it is open (`access.needs`); one that says nothing is open to nobody. Lists are read
through the stores' ``page``; an action is a form with a page of its own that says what will happen.
"""

from flask import Blueprint, Flask, request
from flask.typing import ResponseReturnValue

from .access import gate, may_open

blueprint = Blueprint("admin", __name__, url_prefix="/admin")


def close_to_others(app: Flask) -> None:
    """Let no page of the console answer whoever may not open it; to be called before the CSRF check is installed.

    That check answers a stale form with the page that it is on: it must not come first.
    """

    @app.before_request
    def who_may() -> ResponseReturnValue | None:
        return gate() if request.blueprint == blueprint.name else None

    app.jinja_env.globals.update(may_open=may_open)


from . import (  # noqa: E402, F401 - views register themselves
    alerts,
    alike,
    approvals,
    audit,
    calls,
    client_secret,
    clients,
    domains,
    emergency,
    grants,
    grants_of,
    groups,
    invitations,
    keys,
    overview,
    people,
    person_factors,
    person_groups,
    person_state,
    policies,
    policy_edit,
    policy_requests,
    roles,
    server_edit,
    server_examination,
    server_state,
    servers,
    settings,
    tokens,
    tools_waiting,
    traces,
)
