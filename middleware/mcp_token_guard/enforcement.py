"""What a caller's token permits, held against the calls of a request, and what a refused client is told to ask for.

A challenge is written only where meeting it lets the request through: it then has all scopes that the request needs,
and, for each call that the token's details stand in the way of or that needs a permission of its own, the scope that
stands for one, and the issuer has said that it knows of it. Else the refusal says in words which limit it was. A client
for itself has no person whom those scopes could ask; it is challenged by the real scopes that it lacks, or in words.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .caller import Caller
from .findings import Finding, found
from .messages import Message, only_id
from .refusals import BodyMalformed, GuardError, LimitExceeded, ScopeInsufficient

if TYPE_CHECKING:
    from .guard import Guard

MOST_DERIVED = 20
FOR_ITSELF = "client."
"""How the ``jti`` of a token begins that a client has without a person."""

LACKS_SCOPE = "the token lacks a scope that this needs"
ALONE = "a call that needs a permission of its own is sent alone, not in a batch"


async def enforce(guard: "Guard", caller: Caller, asked: tuple[Message, ...]) -> Caller:
    """*caller*, for whom the server may do what is *asked*: a permission for a single call is spent by then.

    Raises `ScopeInsufficient` with a challenge, `LimitExceeded` where none would help, `BodyMalformed` for a batch
    with a call that is to be sent alone, and `IssuerUnavailable`.
    """
    needed = guard.rules.needed(asked)
    opened = caller.may(*needed)
    if not caller.limits.closed and not guard.one_time:
        if not opened:
            raise ScopeInsufficient(LACKS_SCOPE, needed, request_id=only_id(asked))
        return caller
    findings = [found(guard, caller, message) for message in asked if message.arguments is not None]
    if len(asked) > 1 and any(finding.once for finding in findings):
        raise BodyMalformed(ALONE)
    if not opened or any(finding.breach for finding in findings):
        raise await _refusal(guard, caller, asked, findings)
    for finding in findings:
        if finding.permission is not None:
            return await _spend(guard, caller, finding, finding.permission)
    return caller


async def _spend(guard: "Guard", caller: Caller, finding: Finding, permission: str) -> Caller:
    if await guard.permissions.consume(caller, permission, finding.call):
        return replace(caller, permission=permission)
    raise await _refusal(guard, caller, (finding.call,), [finding.spent()])


async def _refusal(
    guard: "Guard", caller: Caller, asked: tuple[Message, ...], findings: Sequence[Finding]
) -> GuardError:
    needed, request_id = guard.rules.needed(asked), only_id(asked)
    broken = [finding for finding in findings if finding.breach is not None]
    opened, alone = caller.may(*needed), _is_for_itself(caller)
    scopes = None if alone else await _scopes(guard, caller, broken if opened else findings)
    if not broken or (alone and not opened):
        return ScopeInsufficient(LACKS_SCOPE, (*needed, *(scopes or ())), request_id=request_id)
    first = broken[0]
    data = first.data(caller.resource)
    if scopes is None:
        return LimitExceeded(first.words, data, request_id=request_id, note=first.note)
    return ScopeInsufficient(first.words, (*needed, *scopes), data=data, request_id=request_id, note=first.note)


async def _scopes(guard: "Guard", caller: Caller, findings: Sequence[Finding]) -> tuple[str, ...] | None:
    """The scopes that stand for what *findings* need; None where none say all of it that the issuer knows."""
    outside = [finding for finding in findings if finding.outside]
    unsaid = any(finding.breach and finding.scope is None and not finding.outside for finding in findings)
    named = {finding.scope: finding for finding in findings if finding.scope is not None}
    if unsaid or len(outside) > 1 or len(named) > MOST_DERIVED:
        return None
    limits = []
    for finding in outside:
        remedy = finding.remedy(caller.resource)
        limit = None if remedy is None else await guard.remedies.scope(caller, remedy)
        if limit is None:
            return None
        limits.append(limit)
    for scope, finding in named.items():
        if not await guard.remedies.announce(caller, finding.call.name or "", scope, once=finding.once):
            return None
    return (*named, *limits)


def _is_for_itself(caller: Caller) -> bool:
    jti = caller.claims.get("jti")
    return isinstance(jti, str) and jti.startswith(FOR_ITSELF)
