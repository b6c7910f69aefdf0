"""Authorization: from a request to a person's decision to a code (OAuth 2.1 §4.1)."""

from dataclasses import dataclass, replace

from ..protocol import authorization, credential, own_api, scope, tool_permission, tool_request
from ..protocol.audit import Event, Origin
from ..protocol.authorization import AuthorizationRequest, Returnable
from ..protocol.authorization_code import CodeSpent, NewCode
from ..protocol.client import ClientKind
from ..protocol.errors import Absence, AccessDenied, ApprovalPending, InvalidTarget, SignInTooOld, UnknownClient
from ..protocol.form import Form
from ..protocol.grant_term import Until
from ..protocol.ports import Resources
from ..protocol.registration.redirect_hosts import RedirectHosts
from ..protocol.resource import Resource
from ..protocol.scope import Selection
from ..protocol.tool_permission import Permissions
from ..protocol.tool_request import ToolRequest
from ..protocol.way import ANY_WAY
from ..store.audit import AuditStore
from ..store.clients import ClientStore
from ..store.grants import Approval, GrantStore
from ..store.standing import Place, Standing
from ..store.tool_permissions import Challenge, ToolPermissionStore
from . import registered
from .gravity import lets_destroy
from .known_clients import KnownClients
from .policy.admission import Admission
from .proposal import Asked, Choice, Person, Proposal
from .proposing import Past, propose
from .verdict import Verdict, verdict


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
    admission: Admission

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
        if resource.identifier == own_api.identifier(self.issuer):
            raise InvalidTarget(
                "this server's own API is for clients that act for themselves: 'authserver client allow'"
            )
        plain, tools = tool_request.split(request.asked, (known.name for known in resource.scopes))
        details = form.get("authorization_details")
        tools = replace(tools, ways=tool_request.parse(details, resource), detailed=details is not None)
        return Asked(request, resource, _selection(plain, tools, resource), tools)

    def propose(self, asked: Asked, person: Person, origin: Origin) -> Proposal:
        """3. What the person has to decide, given what they decided before and what policy leaves.

        An `OAuthError` is for the client.
        """
        request = asked.request
        device = credential.digest(person.device)
        place = Place(request.client.client_id, request.redirect_host, asked.resource.identifier, device)
        standing = person.stood.lately_at(place) if person.stood else None
        if standing is None:
            standing = self.grants.standing(person.user_id, place)
        past = Past(
            granted=standing.granted,
            consented=standing.consented,
            is_first=not standing.seen_before,
            client_name=standing.client_name,
            client_identity=standing.client_identity,
            granted_tools=_standing_tools(standing, asked.resource),
            consented_tools=standing.consented_tools,
            grant_id=standing.grant_id,
            ends_at=standing.ends_at,
            with_session=standing.with_session,
        )
        tool_request.check(asked.tools.ways, asked.resource)
        waiting = self._waiting(asked, person)
        limit = self.admission.limit(asked, person, origin)
        return propose(self._without_stale(asked, waiting), past, limit, waiting)

    def may_allow_once(self, proposal: Proposal) -> bool:
        """Whether the server's guard can use up a permission for a single call: for that it needs an identity here."""
        return self.registered_clients.has_guard(proposal.asked.resource.identifier)

    def _waiting(self, asked: Asked, person: Person) -> tuple[Challenge, ...]:
        """The challenges that the request answers."""
        tools = asked.tools
        if not tools.is_challenge:
            return ()
        about = (person.user_id, asked.request.client.client_id, asked.resource.identifier)
        return tuple(
            one
            for one in self.tool_permissions.challenges(*about)
            if one.id in tools.limit_ids or (one.way == ANY_WAY and one.tool in tools.named)
        )

    def _without_stale(self, asked: Asked, waiting: tuple[Challenge, ...]) -> Asked:
        """*asked* without what its guard did not ask for just now.

        Clients keep the scopes of a challenge and send them along with the next one. So a guard that can announces
        what it challenges for, and what it did not announce, or a person has answered, asks for nothing.
        """
        tools = asked.tools
        if not tools.named or not self.registered_clients.has_guard(asked.resource.identifier):
            return asked
        announced = {(one.tool, one.once) for one in waiting}
        named = tuple(name for name in tools.named if (name, name in tools.once) in announced)
        return replace(asked, tools=replace(tools, named=named, once=tools.once.intersection(named)))

    def approve(
        self,
        proposal: Proposal,
        choice: Choice,
        person: Person,
        origin: Origin,
        code: str | None = None,
        *,
        silent: bool = False,
    ) -> str:
        """4. Write the decision down and return the URL with a code.

        The same *code*, while it waits to be redeemed, is the same decision; None: a new one. *silent*: the person was
        not asked. Raises as `verdict.verdict`, `SignInTooOld` for what can destroy, and `GrantOver` and `SessionOver`.
        """
        until = choice.until or Until.KEPT
        try:
            found = verdict(proposal, choice)
        except AccessDenied:
            self.tool_permissions.answered(proposal.challenges)
            raise
        if not person.fresh and lets_destroy(proposal, found, until):
            raise SignInTooOld(private="what is allowed can destroy")
        self.clients.keep(proposal.asked.request.client, origin)
        approval = replace(self._approval(proposal, found, until, person), silent=silent)
        detail = {**found.detail, **proposal.rules, "until": approval.until}
        event = self._event("grant.approved", proposal, person, origin).about(detail=detail)
        saved = self._save(code, proposal, approval, person, event)
        self.tool_permissions.answered(proposal.challenges)
        return self.way_of(proposal.asked.request).code(saved, self.issuer)

    def deny(self, proposal: Proposal, person: Person, origin: Origin) -> str:
        """4. The person said no: the URL that tells the client (RFC 6749 §4.1.2.1)."""
        self.audit.write(self._event("grant.denied", proposal, person, origin).about(outcome="refused"))
        self.tool_permissions.answered(proposal.challenges)
        return self.way_of(proposal.asked.request).error(AccessDenied("the person said no"), self.issuer)

    def way_of(self, request: AuthorizationRequest) -> Returnable:
        """Where answers to a checked request go."""
        return Returnable(request.client, request.redirect_uri, request.state)

    def _save(self, code: str | None, proposal: Proposal, approval: Approval, person: Person, event: Event) -> str:
        """The code of a decision that is written down: *code*, or another where it has been redeemed."""
        code = code or credential.mint(credential.Prefix.CODE)
        saved = self._code(code, proposal, approval.approved, person)
        try:
            granted = self.grants.approve(approval, saved, event)
        except CodeSpent:
            return self._save(None, proposal, approval, person, event)
        if granted is None:
            raise UnknownClient(Absence.DELETED)
        return code

    def _approval(self, proposal: Proposal, found: Verdict, until: Until, person: Person) -> Approval:
        return Approval(
            user_id=person.user_id,
            client_id=proposal.asked.request.client.client_id,
            client_name=proposal.asked.request.client.name,
            client_identity=proposal.asked.request.client.identity,
            device_digest=credential.digest(person.device),
            redirect_host=proposal.redirect_host,
            resource=proposal.asked.resource.identifier,
            approved=found.approved,
            withdrawn=found.withdrawn,
            permissions=found.permissions,
            unasked=proposal.standing_tools or {},
            minted=found.minted,
            until=until,
            session=person.session,
            kept=proposal.standing_grant,
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
            methods=person.methods,
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


def _standing_tools(standing: Standing, resource: Resource) -> Permissions | None:
    """What this device's grant says of tools, or stands for if it is older than the catalogue; None without a grant."""
    if standing.grant_id is None:
        return None
    return tool_permission.unasked(resource, standing.granted) if standing.tools is None else standing.tools


def _selection(plain: tuple[str, ...], tools: ToolRequest, resource: Resource) -> Selection:
    """The scopes that are asked for, those that tools need among them. Raises `InvalidScope`."""
    needed = tools.scopes_of(resource)
    names = tuple(name for name in plain if name != scope.OFFLINE_ACCESS)
    if needed and not names:
        return Selection(needed, offline=scope.OFFLINE_ACCESS in plain)
    found = scope.select(plain, resource.scopes)
    united = (known.name for known in resource.scopes if known.name in found.scopes or known.name in needed)
    return Selection(tuple(united), found.offline)
