"""Authorization: from a request to a person's decision to a code (OAuth 2.1 §4.1)."""

from dataclasses import dataclass

from ..protocol import authorization, credential, scope
from ..protocol.audit import Event, Origin
from ..protocol.authorization import AuthorizationRequest, Returnable
from ..protocol.authorization_code import NewCode
from ..protocol.client import ClientKind
from ..protocol.errors import Absence, AccessDenied, ApprovalPending, UnknownClient
from ..protocol.form import Form
from ..protocol.ports import Resources
from ..protocol.registration.redirect_hosts import RedirectHosts
from ..store.audit import AuditStore
from ..store.grants import Approval, GrantStore
from . import registered
from .known_clients import KnownClients
from .proposal import Asked, Past, Proposal, propose


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
    grants: GrantStore
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
        return Asked(request, resource, scope.select(request.asked, resource.scopes))

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
        )
        return propose(asked, past)

    def approve(self, proposal: Proposal, ticked: frozenset[str], person: Person, origin: Origin) -> str:
        """4. Write the decision down and return the URL with a code.

        Scopes of the page that are not *ticked* are taken out of the grant; scopes that are not on the page are
        ignored, and so is one that implies what is not ticked (`Proposal.lacking`). Raises `AccessDenied` when
        nothing is left.
        """
        known = proposal.asked.resource.scopes
        chosen = proposal.names & ticked
        approved = tuple(s.name for s in known if s.name in chosen and chosen.issuperset(scope.expand([s.name], known)))
        if not approved:
            raise AccessDenied("nothing was allowed")
        withdrawn = tuple(sorted(proposal.names.difference(approved)))
        code = credential.mint(credential.Prefix.CODE)
        self.clients.keep(proposal.asked.request.client, origin)
        approval = self._approval(proposal, approved, withdrawn, person)
        event = self._event("grant.approved", proposal, person, origin).about(
            detail={"scopes": " ".join(approved), "withdrawn": " ".join(withdrawn)}
        )
        if self.grants.approve(approval, self._code(code, proposal, approved, person), event) is None:
            raise UnknownClient(Absence.DELETED)
        return self.way_of(proposal.asked.request).code(code, self.issuer)

    def deny(self, proposal: Proposal, person: Person, origin: Origin) -> str:
        """4. The person said no: the URL that tells the client (RFC 6749 §4.1.2.1)."""
        self.audit.write(self._event("grant.denied", proposal, person, origin).about(outcome="refused"))
        return self.way_of(proposal.asked.request).error(AccessDenied("the person said no"), self.issuer)

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
