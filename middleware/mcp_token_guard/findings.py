"""What stands in the way of a call: a token's details, or that each call of the tool needs a permission of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import derived
from .caller import Caller
from .limits import Breach, pointers, reading
from .messages import Message

if TYPE_CHECKING:
    from .guard import Guard

MOST_ASKED = 20
MOST_TEXT = 500

INSUFFICIENT = "insufficient_authorization"
"""The error of draft-ietf-oauth-rar-metadata-remediation, here in the body alone."""

NEEDED = "needs a permission of its own, each time"
SPENT = "was allowed once, and that was used"
NOTES: Mapping[str, str] = {NEEDED: ", one-time permission needed", SPENT: ", one-time permission spent"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One call, and its ``breach``, if something stands in its way.

    ``scope`` stands for what opens the call, where a scope can: its tool, or with ``once`` this single call.
    ``permission`` is the one for this single call that lets it through, where the token has one that may be unspent.
    ``outside``: the tool is open, and not with these arguments.
    """

    call: Message
    breach: Breach | None = None
    scope: str | None = None
    once: bool = False
    permission: str | None = None
    outside: bool = False

    @property
    def words(self) -> str:
        """What the caller is told."""
        return f"{self.breach}. A grant that lets this through has to be asked for at the authorization server."

    @property
    def note(self) -> str:
        """What the receipt is told."""
        return NOTES.get(self.breach.rule, "") if self.breach is not None else ""

    def spent(self) -> "Finding":
        """The finding when the permission for the call turns out to be spent."""
        return replace(self, breach=Breach(self.call.name or "", "", SPENT), permission=None)

    def remedy(self, resource: str) -> dict[str, object] | None:
        """The detail that lets just this call through; None where that cannot be put briefly."""
        arguments = self.call.arguments or {}
        if self.once or len(arguments) > MOST_ASKED or not all(map(_is_brief, arguments.values())):
            return None
        rules = {pointers.write((name,)): {"values": [value]} for name, value in arguments.items()}
        tools = [self.call.name]
        detail: dict[str, object] = {"type": reading.TYPE, "locations": [resource], "tools": tools, "limits": rules}
        try:
            reading.detail(detail)
        except ValueError:
            return None
        return detail

    def data(self, resource: str) -> dict[str, object]:
        """What whoever called can read of it: which limit it was, and what to ask for."""
        if self.breach is None:
            return {}
        argument, limit = self.breach.argument, self.breach.rule
        asked = self.remedy(resource)
        details = {} if asked is None else {"authorization_details": [asked]}
        return {"error": INSUFFICIENT, "tool": self.breach.tool, "argument": argument, "limit": limit, **details}


def found(guard: "Guard", caller: Caller, call: Message) -> Finding:
    """What stands in the way of *call*, as far as that can be known here."""
    tool, arguments, limits = call.name or "", call.arguments or {}, caller.limits
    breach = limits.breach(tool, arguments)
    if breach is None and tool not in guard.one_time:
        return Finding(call, scope=derived.of_tool(tool) if limits.closed else None)
    permissions = limits.permissions(tool, arguments)
    if permissions or tool in guard.one_time:
        finding = Finding(call, None, derived.of_tool(tool, once=True), once=True)
        if permissions:
            permission = guard.permissions.unspent(permissions)
            return finding.spent() if permission is None else replace(finding, permission=permission)
        # A permission that is there for other arguments says more by its limit.
        return replace(finding, breach=breach if limits.opens(tool, once=True) else Breach(tool, "", NEEDED))
    if limits.opens(tool):
        return Finding(call, breach, outside=True)
    return Finding(call, breach, derived.of_tool(tool))


def _is_brief(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MOST_TEXT
    return value is None or isinstance(value, int)
