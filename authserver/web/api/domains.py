"""Domains of clients that name themselves by a URL: what was decided about each."""

from pydantic import Field

from ...protocol.domain import Decision, domain_of
from ...protocol.role import Permission
from .operation import Answer, AnyOperation, Call, Nothing, One, Operation, Parameters, acting, reading
from .problem import Problem


class DomainState(Answer):
    """A domain, and what is done with the clients in it and below it."""

    domain: str
    decision: Decision


class Domains(Answer):
    """All that were decided about."""

    items: list[DomainState]


class NewDecision(Parameters):
    """What is to be done with the clients of a domain, and of all below it."""

    domain: str = Field(min_length=1, max_length=300)
    decision: Decision


def _list(call: Call[Nothing, Nothing]) -> Domains:
    decided = sorted(call.deployment.stores.domains.all().items())
    return Domains(items=[DomainState(domain=name, decision=decision) for name, decision in decided])


def _decide(call: Call[Nothing, NewDecision]) -> None:
    name, decision = _domain(call.body.domain), call.body.decision
    about = call.event("domain.decided").about(detail={"domain": name, "decision": decision})
    call.deployment.stores.domains.decide(name, decision, about)


def _forget(call: Call[One, Nothing]) -> None:
    name = _domain(call.query.id)
    if not call.deployment.stores.domains.forget(name, call.event("domain.forgotten").about(detail={"domain": name})):
        raise Problem(404, "nothing was decided about this domain")


def _domain(text: str) -> str:
    found = domain_of(text)
    if found is None:
        raise Problem(400, "that is not a domain such as example.com")
    return found


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/domains", Permission.POLICIES_READ, "What was decided about domains of clients", Nothing, Domains, _list),
    Operation(
        "PUT", "/domain", Permission.POLICIES_EDIT, "Decide about a domain, and all below it", _decide, Nothing,
        NewDecision,
    ),
    acting("/domain", Permission.POLICIES_EDIT, "Take a decision back", One, _forget, method="DELETE"),
)  # fmt: skip
