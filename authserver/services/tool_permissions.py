"""What guards ask as themselves: to use up a permission for one call, and to ask a person for more (EX-7, RS-11)."""

import re
from dataclasses import dataclass

from ..protocol import strict_json
from ..protocol.access_token import TokenId
from ..protocol.audit import Event, Origin
from ..protocol.errors import InvalidAuthorizationDetails, InvalidRequest, InvalidTarget
from ..protocol.form import Form
from ..protocol.ports import Resources
from ..protocol.resource import Resource, identified
from ..protocol.scope import TOKEN
from ..protocol.tool_request import LIMIT, ONCE, TOOL, asked_way
from ..protocol.way import ANY_WAY, Way
from ..store.tool_permissions import Challenge, SingleCall, ToolPermissionStore
from .ceilings import ClientLimit
from .client_authentication import ClientAuthentication

DIGEST = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class ToolPermissions:
    """Answers guards, each about the tokens of its own server only."""

    who: ClientAuthentication
    resources: Resources
    permissions: ToolPermissionStore
    limit: ClientLimit

    def consume(self, form: Form, authorization: str | None, origin: Origin) -> dict[str, bool]:
        """Whether the permission for one call was there and is used up now.

        The tool and the digest of the call's arguments go into the audit trail. Raises `OAuthError`.
        """
        guard, resource = self._guard(form, authorization)
        tool, digest = form.need("tool"), form.need("arguments_digest")
        if not TOKEN.fullmatch(tool) or not DIGEST.fullmatch(digest):
            raise InvalidRequest("tool is a tool's name, arguments_digest an unpadded base64url SHA-256")
        event = _event("tool_permission.used", guard, resource, origin, tool).about(
            detail={"tool": tool, "arguments_digest": digest}
        )
        call = SingleCall(tool, form.need("permission"))
        return {"consumed": self.permissions.consume(_token_id(form), resource, call, event)}

    def challenge(self, form: Form, authorization: str | None, origin: Origin) -> dict[str, str]:
        """The scope by which the client whose call was refused asks its person for that call.

        A detail with limits asks for this call, one without for the tool, with ``once=true`` for a single call of it.
        Raises `OAuthError` for what no person may allow, and for a token that does not stand.
        """
        guard, resource = self._guard(form, authorization)
        tool, way = _asked(form.need("authorization_details"), resource)
        event = _event("tool_permission.asked", guard, resource, origin, tool)
        challenge = Challenge(tool, way, once=form.get("once") == "true")
        made = self.permissions.ask(_token_id(form), resource.identifier, challenge, event)
        if made is None:
            raise InvalidRequest("the token does not stand any more, or too much of its client waits already")
        if way != ANY_WAY:
            return {"scope": LIMIT + made}
        return {"scope": f"{TOOL}{tool}{ONCE if challenge.once else ''}"}

    def _guard(self, form: Form, authorization: str | None) -> tuple[str, Resource]:
        caller, identifier = self.who.guard(form, authorization)
        self.limit.count(caller.client_id)
        resource = identified(self.resources.all(), identifier)
        if resource is None:
            raise InvalidTarget("the MCP server of this guard is not registered any more")
        return caller.client_id, resource


def _asked(text: str, resource: Resource) -> tuple[str, Way]:
    """The one tool that a guard asks for, and the way. Raises `InvalidAuthorizationDetails`."""
    try:
        value = strict_json.value(text.encode())
    except ValueError:
        value = None
    if not isinstance(value, list) or len(value) != 1:
        raise InvalidAuthorizationDetails("authorization_details is a JSON array of one detail here")
    way = asked_way(value[0], resource)
    if len(value[0]["tools"]) != 1:
        raise InvalidAuthorizationDetails("one tool at a time")
    name: str = value[0]["tools"][0]
    policy = next((tool.policy for tool in resource.tools if tool.name == name), Way())
    if way != ANY_WAY and not way.no_wider(policy):
        raise InvalidAuthorizationDetails(f"an administrator has limited {name} further than that")
    return name, way


def _token_id(form: Form) -> TokenId:
    found = TokenId.parse(form.need("jti"))
    if found is None or found.stands_on_client:
        raise InvalidRequest("jti is that of a token that a person gave")
    return found


def _event(name: str, guard: str, resource: Resource, origin: Origin, tool: str) -> Event:
    actor = f"client:{guard}"
    return Event(name, actor, origin, client_id=guard, resource=resource.identifier, detail={"tool": tool})
