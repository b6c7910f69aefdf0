"""Domains of clients that name themselves by a URL: what was decided about each."""

from typing import Any

from pydantic import Field

from ...protocol.domain import Decision, domain_of
from ...protocol.role import Permission
from .operation import Answer, AnyOperation, Call, Nothing, One, Operation, Parameters, acting, reading
from .problem import CHANGED, SAY_WHAT_WAS_SEEN, Problem

NONE = "nothing was decided about this domain"


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


def _one(call: Call[One, Nothing]) -> DomainState:
    found = _found(call, call.query.id)
    if found is None:
        raise Problem(404, NONE)
    return found


def _known(call: Call[Nothing, NewDecision]) -> DomainState | None:
    """What was decided about the domain that the body names."""
    return _found(call, call.body.domain)


def _decide(call: Call[Nothing, NewDecision]) -> None:
    name, wanted = _domain(call.body.domain), call.body.decision
    known: DomainState | None = call.seen or _known(call)
    if known and known.decision is wanted:
        return
    if known and not call.seen:
        raise Problem(428, SAY_WHAT_WAS_SEEN)
    about = call.event("domain.decided").about(detail={"domain": name, "decision": wanted})
    if not call.deployment.stores.domains.exchange(name, known.decision if known else None, wanted, about):
        raise Problem(412 if call.seen else 409, CHANGED)


def _forget(call: Call[One, Nothing]) -> None:
    found = call.seen or _one(call)
    about = call.event("domain.forgotten").about(detail={"domain": found.domain})
    if not call.deployment.stores.domains.exchange(found.domain, found.decision, None, about):
        raise Problem(412 if call.seen else 409, CHANGED)


def _found(call: Call[Any, Any], text: str) -> DomainState | None:
    name = _domain(text)
    decision = call.deployment.stores.domains.find(name)
    return DomainState(domain=name, decision=decision) if decision else None


def _as_it_is(found: DomainState) -> DomainState:
    return found


def _domain(text: str) -> str:
    found = domain_of(text)
    if found is None:
        raise Problem(400, "that is not a domain such as example.com")
    return found


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/domains", Permission.POLICIES_READ, "What was decided about domains of clients", Nothing, Domains, _list),
    reading("/domain", Permission.POLICIES_READ, "What was decided about a domain", One, DomainState, _one),
    Operation(
        "PUT", "/domain", Permission.POLICIES_EDIT, "Decide about a domain, and all below it", _decide, Nothing,
        NewDecision, find=_known, shows=_as_it_is, problems=(409, 428),
    ),
    acting(
        "/domain", Permission.POLICIES_EDIT, "Take a decision back", One, _forget,
        method="DELETE", find=_one, shows=_as_it_is, problems=(409,),
    ),
)  # fmt: skip
