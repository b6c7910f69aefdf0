"""The API of administration: what the console does, for clients that act for themselves (EX-1)."""

from ...services.deployment import Deployment
from . import (
    approvals,
    clients,
    examination,
    grants,
    keys,
    people,
    policies,
    policy_requests,
    replay,
    servers,
    watching,
)
from .frame import Api

OPERATIONS = (
    *clients.OPERATIONS,
    *grants.OPERATIONS,
    *people.OPERATIONS,
    *servers.OPERATIONS,
    *examination.OPERATIONS,
    *keys.OPERATIONS,
    *policies.OPERATIONS,
    *replay.OPERATIONS,
    *policy_requests.OPERATIONS,
    *watching.OPERATIONS,
    *approvals.OPERATIONS,
)


def api(deployment: Deployment) -> Api:
    """The API of *deployment*."""
    return Api(deployment, OPERATIONS)
