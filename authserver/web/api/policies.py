"""Policies: the rules that count, and the simulator."""

import time
from typing import Any, Literal

from pydantic import Field

from ...protocol.errors import OAuthError
from ...protocol.policy import difference
from ...protocol.policy import reading as rules
from ...protocol.policy.words import sentence
from ...protocol.role import Permission
from ...services.policy.explanation import Question, Simulator, Unknown
from ...services.policy.file import MOST_POSTED
from ...services.policy.review import Reviewer
from ...store.policies import Overtaken
from .clients import Seconds
from .operation import PLAIN, Answer, AnyOperation, Call, Nothing, Operation, Parameters, reading
from .problem import Problem


class RuleState(Answer):
    """A rule, in words and as files write it."""

    name: str
    effect: str
    words: str
    rule: dict[str, Any]


class PolicyState(Answer):
    """The rules in their order: the first whose conditions all fit decides."""

    version: int
    applied_at: Seconds | None
    actor: str | None
    items: list[RuleState]


class Written(Parameters):
    """Rules, as files write them."""

    rules: list[dict[str, Any]] = Field(max_length=rules.MOST_RULES)


class NewRules(Written):
    """Rules, as files write them, in place of the version that they were written from."""

    version: int = Field(ge=0, le=2**31 - 1)


class Looked(Answer):
    """What rules would change of those of this version, and what gives reason to doubt them, in words."""

    version: int
    changes: list[str]
    doubts: list[str]


class Asked(Parameters):
    """Whether a person may use a tool through a client."""

    user: str | None = Field(None, max_length=200, pattern=PLAIN, description="User name; null: the client for itself")
    client_id: str = Field(min_length=1, max_length=2048, pattern=PLAIN)
    server: str = Field(min_length=1, max_length=2048, pattern=PLAIN, description="The MCP server's identifier")
    tool: str | None = Field(None, max_length=200, pattern=PLAIN)
    scope: str | None = Field(None, max_length=200, pattern=PLAIN)
    at: int | None = Field(None, ge=0, le=4_102_444_800, description="Unix seconds; now if left out")
    address: str = Field("", max_length=64, pattern=PLAIN, description="From which address")
    factor: Literal["none", "code", "passkey"] = Field("none", description="Signed in with which second factor")


class ItemState(Answer):
    """What is decided about one scope or tool; `rule` leaves it out."""

    item: str
    effect: str
    rule: str | None


class ConsideredRule(Answer):
    """A rule that was held against it, and why it does, or does not, decide."""

    rule: str
    fits: bool
    why: str


class Explained(Answer):
    """The answer, in words too."""

    version: int
    effect: str
    answer: str
    items: list[ItemState]
    considered: list[ConsideredRule]
    notes: list[str]


def _list(call: Call[Nothing, Nothing] | Call[Nothing, NewRules]) -> PolicyState:
    store = call.deployment.stores.policies
    current, applied = store.current(), store.applied()
    lines = [
        RuleState(name=rule.name, effect=rule.effect, words=sentence(rule), rule=told)
        for rule, told in zip(current.rules, rules.written(current.rules), strict=True)
    ]
    return PolicyState(
        version=current.version,
        applied_at=applied.applied_at if applied else None,
        actor=applied.actor if applied else None,
        items=lines,
    )


def _apply(call: Call[Nothing, NewRules]) -> PolicyState:
    try:
        wanted = rules.read(call.body.rules)
    except rules.Unfit as wrong:
        raise unfit(wrong) from None
    try:
        call.deployment.stores.policies.apply(wanted, call.body.version, call.event("policy.applied"))
    except Overtaken as other:
        raise Problem(409, f"{other}, and these were written from {call.body.version}; nothing was done") from None
    return _list(call)


def _look(call: Call[Nothing, Written]) -> Looked:
    try:
        wanted = rules.read(call.body.rules)
    except rules.Unfit as wrong:
        raise unfit(wrong) from None
    stores = call.deployment.stores
    current = stores.policies.current()
    changes = [line for change in difference.changes(current.rules, wanted) for line in change.words]
    return Looked(version=current.version, changes=changes, doubts=[*Reviewer(stores).doubts(wanted)])


def unfit(wrong: rules.Unfit) -> Problem:
    """What is said of a body whose ``rules`` are none."""
    errors = [{"member": flaw.inside("rules").path, "problem": flaw.what} for flaw in wrong.flaws]
    return Problem(400, "the body is not right: see errors", errors=errors)


def _explain(call: Call[Nothing, Asked]) -> Explained:
    asked = call.body
    at = asked.at if asked.at is not None else int(time.time())
    scope = None if asked.tool else asked.scope or None
    what = (asked.client_id, asked.server, asked.tool or None, scope)
    question = Question(asked.user or None, *what, at, asked.address, asked.factor)
    try:
        found = Simulator(call.deployment.stores, call.deployment.policies).explain(question)
    except Unknown as unknown:
        raise Problem(404, str(unknown)) from None
    except OAuthError as refused:
        raise Problem(404, str(refused.description)) from None
    return Explained(
        version=found.version,
        effect=found.effect,
        answer=found.answer,
        items=[
            ItemState(item=line.item.key, effect=line.out.effect if line.out else "allow", rule=line.rule_name)
            for line in found.lines
        ],
        considered=[ConsideredRule(rule=one.rule.name, fits=one.fits, why=one.why) for one in found.considered],
        notes=list(found.notes),
    )


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/policies", Permission.POLICIES_READ, "The rules of policy, in order", Nothing, PolicyState, _list),
    Operation(
        "PUT", "/policies", Permission.POLICIES_EDIT, "Let rules count in place of all others", _apply, Nothing,
        NewRules, PolicyState, problems=(400, 409), most=MOST_POSTED,
    ),
    Operation(
        "POST", "/policies/look", Permission.POLICIES_EDIT, "Look rules over: nothing is changed by it", _look, Nothing,
        Written, Looked, most=MOST_POSTED,
    ),
    Operation(
        "POST", "/policies/explain", Permission.POLICIES_READ, "Explain what the rules decide, by which, and why",
        _explain, Nothing, Asked, Explained, problems=(404,),
    ),
)  # fmt: skip
