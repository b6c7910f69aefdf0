"""The API of administration: what the console does, for clients that act for themselves (EX-1)."""

from ...services.deployment import Deployment
from . import approvals, clients, grants, keys, people, policies, servers, watching
from .frame import Api

OPERATIONS = (
    *clients.OPERATIONS,
    *grants.OPERATIONS,
    *people.OPERATIONS,
    *servers.OPERATIONS,
    *keys.OPERATIONS,
    *policies.OPERATIONS,
    *approvals.OPERATIONS,
    *watching.OPERATIONS,
)


def api(deployment: Deployment) -> Api:
    """The API of *deployment*."""
    return Api(deployment, OPERATIONS)
