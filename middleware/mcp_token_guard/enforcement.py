"""What a caller's token permits, held against the calls of a request, and what a refused client is told to ask for.

A challenge is written only where meeting it lets the request through: it then has all scopes that the request needs,
and, for each call that the token's details stand in the way of or that needs a permission of its own, the scope that
stands for one. Else the refusal says in words which limit it was.
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
    scopes = await _scopes(guard, caller, broken if caller.may(*needed) else findings)
    if not broken:
        return ScopeInsufficient(LACKS_SCOPE, (*needed, *(scopes or ())), request_id=request_id)
    first = broken[0]
    data = first.data(caller.resource)
    if scopes is None:
        return LimitExceeded(first.words, data, request_id=request_id)
    return ScopeInsufficient(first.words, (*needed, *scopes), data=data, request_id=request_id, note=first.note)


async def _scopes(guard: "Guard", caller: Caller, findings: Sequence[Finding]) -> tuple[str, ...] | None:
    """The scopes that stand for what *findings* need; None where no scopes say all of it."""
    outside = [finding for finding in findings if finding.outside]
    unsaid = any(finding.breach and finding.scope is None and not finding.outside for finding in findings)
    scopes = dict.fromkeys(finding.scope for finding in findings if finding.scope is not None)
    if unsaid or len(outside) > 1 or len(scopes) > MOST_DERIVED:
        return None
    for finding in outside:
        remedy = finding.remedy(caller.resource)
        limit = None if remedy is None else await guard.remedies.scope(caller, remedy)
        if limit is None:
            return None
        scopes[limit] = None
    for finding in findings:
        if finding.scope is not None and finding.breach is not None:
            await guard.remedies.announce(caller, finding.call.name or "", once=finding.once)
    return tuple(scopes)
