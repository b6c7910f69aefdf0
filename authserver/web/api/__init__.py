"""The API of administration: what the console does, for clients that act for themselves (EX-1)."""

from ...services.deployment import Deployment
from . import (
    alike,
    approvals,
    client_history,
    clients,
    domains,
    examination,
    grants,
    invitations,
    keys,
    overview,
    people,
    policies,
    policy_requests,
    replay,
    roles,
    servers,
    tokens,
    tools_waiting,
    traces,
    watching,
)
from .frame import Api

OPERATIONS = (
    *overview.OPERATIONS,
    *clients.OPERATIONS,
    *client_history.OPERATIONS,
    *alike.OPERATIONS,
    *grants.OPERATIONS,
    *tokens.OPERATIONS,
    *people.OPERATIONS,
    *roles.OPERATIONS,
    *invitations.OPERATIONS,
    *servers.OPERATIONS,
    *examination.OPERATIONS,
    *tools_waiting.OPERATIONS,
    *keys.OPERATIONS,
    *policies.OPERATIONS,
    *domains.OPERATIONS,
    *replay.OPERATIONS,
    *policy_requests.OPERATIONS,
    *watching.OPERATIONS,
    *traces.OPERATIONS,
    *approvals.OPERATIONS,
)


def api(deployment: Deployment) -> Api:
    """The API of *deployment*."""
    return Api(deployment, OPERATIONS)
