"""Authorization: from a request to a person's decision to a code (OAuth 2.1 §4.1)."""

import json
import time
from dataclasses import dataclass, replace

from ..protocol import authorization, credential, scope, tool_permission, tool_request
from ..protocol.audit import Event, Origin
from ..protocol.authorization import AuthorizationRequest, Returnable
from ..protocol.authorization_code import NewCode
from ..protocol.client import ClientKind
from ..protocol.errors import Absence, AccessDenied, ApprovalPending, UnknownClient
from ..protocol.form import Form
from ..protocol.ports import Resources
from ..protocol.registration.redirect_hosts import RedirectHosts
from ..protocol.resource import Resource
from ..protocol.scope import Selection
from ..protocol.tool_permission import Permissions
from ..protocol.tool_request import ToolRequest
from ..protocol.way import Way
from ..store.audit import AuditStore
from ..store.clients import ClientStore
from ..store.grants import Approval, GrantStore
from ..store.tool_permissions import ToolPermissionStore
from . import registered
from .known_clients import KnownClients
from .proposal import Asked, Choice, Past, Proposal, propose
from .tool_choices import ToolChoice, decided

MOST_AUDITED = 50
MOST_DETAILS = 5000
"""Characters of a token's details: with all else a token stays below the 8 KiB that servers take in a header."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who decides, and in which browser: ``auth_time`` in Unix seconds, ``device`` the browser's long-lived secret."""

    user_id: str
    auth_time: int
    device: str


@dataclass(frozen=True, slots=True)
class AuthorizationService:
    """The steps of the authorization endpoint, in the order in which they are called. ``code_lifetime`` in seconds."""

    issuer: str
    clients: KnownClients
    resources: Resources
    registered_clients: ClientStore
    grants: GrantStore
    tool_permissions: ToolPermissionStore
    audit: AuditStore
    code_lifetime: int
    redirect_hosts: RedirectHosts

    def way(self, form: Form, origin: Origin) -> Returnable:
        """1. Who asks and where answers go. Every `OAuthError` from here is for a page, never a redirect (AZ-2)."""
        client_id = form.need("client_id")
        client = self.clients.find(client_id, origin)
        if client is None:
            gone = self.clients.tombstoned(client_id)
            raise UnknownClient(Absence.DELETED if gone else Absence.NEVER_REGISTERED)
        if client.suspended:
            raise UnknownClient(Absence.SUSPENDED, client.name)
        if client.pending:
            raise ApprovalPending(client.name, client.client_id)
        way = authorization.returnable(form, client)
        if client.kind is ClientKind.DYNAMIC:
            self.redirect_hosts.check([way.redirect_uri])
        return way

    def check(self, form: Form, way: Returnable) -> Asked:
        """2. What is asked for. An `OAuthError` from here is for the client."""
        request = authorization.parse(form, way)
        resource = registered.find(request.resources, self.resources)
        plain, tools = tool_request.split(request.asked, (known.name for known in resource.scopes))
        details = form.get("authorization_details")
        tools = replace(tools, ways=tool_request.parse(details, resource), detailed=details is not None)
        return Asked(request, resource, _selection(plain, tools, resource), tools)

    def propose(self, asked: Asked, person: Person) -> Proposal:
        """3. What the person has to decide, given what they decided before."""
        request = asked.request
        standing = self.grants.standing(
            user_id=person.user_id,
            client_id=request.client.client_id,
            device_digest=credential.digest(person.device),
            redirect_host=request.redirect_host,
            resource=asked.resource.identifier,
        )
        past = Past(
            granted=standing.granted,
            consented=standing.consented,
            is_first=not standing.seen_before,
            client_name=standing.client_name,
            client_identity=standing.client_identity,
            granted_tools=standing.tools if standing.grant_id else None,
            consented_tools=standing.consented_tools,
        )
        return propose(asked, past, self._challenged(asked, person))

    def may_allow_once(self, proposal: Proposal) -> bool:
        """Whether the server's guard can use up a permission for a single call: for that it needs an identity here."""
        return self.registered_clients.has_guard(proposal.asked.resource.identifier)

    def _challenged(self, asked: Asked, person: Person) -> dict[str, tuple[Way, ...]]:
        found: dict[str, tuple[Way, ...]] = {}
        if asked.tools.limit_ids:
            about = (person.user_id, asked.request.client.client_id, asked.resource.identifier)
            for challenge in self.tool_permissions.challenges(asked.tools.limit_ids, *about):
                found[challenge.tool] = (*found.get(challenge.tool, ()), challenge.way)
        return found

    def approve(self, proposal: Proposal, choice: Choice, person: Person, origin: Origin) -> str:
        """4. Write the decision down and return the URL with a code.

        Scopes of the page that are not ticked are taken out of the grant; scopes that are not on the page are
        ignored, and so is one that implies what is not ticked (`Proposal.lacking`). Raises `AccessDenied` when
        nothing is left, or when a guard asked for a tool that is not allowed, and `ValueError`, in words for the
        person, for a limit that cannot be used.
        """
        known = proposal.asked.resource.scopes
        chosen = proposal.names & choice.scopes
        approved = tuple(s.name for s in known if s.name in chosen and chosen.issuperset(scope.expand([s.name], known)))
        if not approved:
            raise AccessDenied("nothing was allowed")
        if proposal.withheld(choice):
            # A token that lacks it all the same would be refused in the same words, and asked for again.
            raise AccessDenied("the tool that was asked for was not allowed")
        permissions = decided(proposal.tools, _within(choice.tools, proposal, approved), int(time.time()))
        self._check_size(proposal, approved, permissions)
        withdrawn = tuple(sorted(proposal.names.difference(approved)))
        code = credential.mint(credential.Prefix.CODE)
        self.clients.keep(proposal.asked.request.client, origin)
        approval = replace(self._approval(proposal, approved, withdrawn, person), permissions=permissions)
        detail = {"scopes": " ".join(approved), "withdrawn": " ".join(withdrawn), **_told(permissions)}
        event = self._event("grant.approved", proposal, person, origin).about(detail=detail)
        if self.grants.approve(approval, self._code(code, proposal, approved, person), event) is None:
            raise UnknownClient(Absence.DELETED)
        return self.way_of(proposal.asked.request).code(code, self.issuer)

    def deny(self, proposal: Proposal, person: Person, origin: Origin) -> str:
        """4. The person said no: the URL that tells the client (RFC 6749 §4.1.2.1)."""
        self.audit.write(self._event("grant.denied", proposal, person, origin).about(outcome="refused"))
        return self.way_of(proposal.asked.request).error(AccessDenied("the person said no"), self.issuer)

    def _check_size(self, proposal: Proposal, approved: tuple[str, ...], permissions: Permissions) -> None:
        """Raises `ValueError` where a token could not hold so many tools."""
        resource = proposal.asked.resource
        found = tool_permission.details(
            resource, tool_permission.opened(resource, approved, permissions, int(time.time()))
        )
        if len(json.dumps(found)) > MOST_DETAILS:
            raise ValueError("These are more tools than a token can name. Untick those that are not needed.")

    def way_of(self, request: AuthorizationRequest) -> Returnable:
        """Where answers to a checked request go."""
        return Returnable(request.client, request.redirect_uri, request.state)

    def _approval(
        self, proposal: Proposal, approved: tuple[str, ...], withdrawn: tuple[str, ...], person: Person
    ) -> Approval:
        return Approval(
            user_id=person.user_id,
            client_id=proposal.asked.request.client.client_id,
            client_name=proposal.asked.request.client.name,
            client_identity=proposal.asked.request.client.identity,
            device_digest=credential.digest(person.device),
            redirect_host=proposal.redirect_host,
            resource=proposal.asked.resource.identifier,
            approved=approved,
            withdrawn=withdrawn,
        )

    def _code(self, code: str, proposal: Proposal, approved: tuple[str, ...], person: Person) -> NewCode:
        request = proposal.asked.request
        return NewCode(
            digest=credential.digest(code),
            client_id=request.client.client_id,
            redirect_uri=request.redirect_uri,
            challenge=request.challenge,
            resource=proposal.asked.resource.identifier,
            scopes=approved,
            auth_time=person.auth_time,
            wants_refresh=proposal.asked.selection.offline or request.client.may_refresh(),
            lifetime=self.code_lifetime,
        )

    def _event(self, name: str, proposal: Proposal, person: Person, origin: Origin) -> Event:
        return Event(
            name,
            f"user:{person.user_id}",
            origin,
            user_id=person.user_id,
            client_id=proposal.asked.request.client.client_id,
            resource=proposal.asked.resource.identifier,
        )


def _selection(plain: tuple[str, ...], tools: ToolRequest, resource: Resource) -> Selection:
    """The scopes that are asked for, those that tools need among them. Raises `InvalidScope`."""
    needed = tools.scopes_of(resource)
    names = tuple(name for name in plain if name != scope.OFFLINE_ACCESS)
    if needed and not names:
        return Selection(needed, offline=scope.OFFLINE_ACCESS in plain)
    found = scope.select(plain, resource.scopes)
    united = (known.name for known in resource.scopes if known.name in found.scopes or known.name in needed)
    return Selection(tuple(united), found.offline)


def _within(choice: ToolChoice, proposal: Proposal, approved: tuple[str, ...]) -> ToolChoice:
    """*choice* without the tools of scopes that were not approved."""
    closed = proposal.names.difference(approved)
    return replace(
        choice,
        ticked=frozenset(
            tool.name
            for tool in proposal.tools
            if tool.name in choice.ticked and not closed.intersection(tool.tool.scopes)
        ),
    )


def _told(permissions: Permissions) -> dict[str, object]:
    """What the audit trail is told of tools."""
    allowed = [name for name, one in permissions.items() if one.ways]
    found: dict[str, object] = {"tools": allowed[:MOST_AUDITED], "tools_allowed": len(allowed)}
    return found if permissions else {}
