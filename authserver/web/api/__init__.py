"""The API of administration: what the console does, for clients that act for themselves (EX-1)."""

from ...services.deployment import Deployment
from . import (
    approvals,
    clients,
    examination,
    grants,
    invitations,
    keys,
    people,
    policies,
    policy_requests,
    servers,
    watching,
)
from .frame import Api

OPERATIONS = (
    *clients.OPERATIONS,
    *grants.OPERATIONS,
    *people.OPERATIONS,
    *invitations.OPERATIONS,
    *servers.OPERATIONS,
    *examination.OPERATIONS,
    *keys.OPERATIONS,
    *policies.OPERATIONS,
    *policy_requests.OPERATIONS,
    *watching.OPERATIONS,
    *approvals.OPERATIONS,
)


def api(deployment: Deployment) -> Api:
    """The API of *deployment*."""
    return Api(deployment, OPERATIONS)
