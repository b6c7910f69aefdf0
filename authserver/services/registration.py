"""Dynamic client registration and its management (RFC 7591, RFC 7592)."""

import time
from dataclasses import dataclass, replace
from typing import Any

from ..protocol import credential, redirect_uri
from ..protocol.audit import Event, Origin
from ..protocol.client import AuthMethod, Client, ClientKind
from ..protocol.errors import Forbidden, InvalidToken
from ..protocol.ports import Resources
from ..protocol.registration import metadata, response, sharing
from ..protocol.registration.mode import RegistrationMode
from ..protocol.registration.redirect_hosts import RedirectHosts
from ..protocol.registration.software_statement import StatementIssuers
from ..protocol.scope import OFFLINE_ACCESS
from ..store.clients import ClientStore
from ..store.initial_access_tokens import InitialAccessToken, InitialAccessTokenStore
from .ceilings import RegistrationCeilings

NOT_ADMITTED = "registration needs an initial access token that is good: ask the administrator of this server"
NOT_CURRENT = "the registration access token is not the current one of this client"


@dataclass(frozen=True, slots=True)
class Registration:
    """Registers clients, and lets each read, change and remove its own registration."""

    issuer: str
    clients: ClientStore
    initial_access_tokens: InitialAccessTokenStore
    resources: Resources
    mode: RegistrationMode
    redirect_hosts: RedirectHosts
    ceilings: RegistrationCeilings
    share: bool
    statements: StatementIssuers

    def register(self, body: bytes, origin: Origin, bearer: str | None = None) -> dict[str, Any]:
        """The client information response of a new client (RFC 7591 §3.2.1). Raises an `OAuthError` if refused.

        *bearer* is the initial access token, of which a registration that is refused uses nothing up.
        """
        admission = self._admission(bearer)
        asked = self._parse(metadata.load(body))
        self.ceilings.admit(asked.redirect_uris, origin)
        fingerprint = sharing.fingerprint(asked) if self.share else None
        token = None if fingerprint else credential.mint(credential.Prefix.REGISTRATION)
        secret = credential.mint(credential.Prefix.CLIENT_SECRET) if asked.auth_method.has_secret else None
        kept = sharing.shared(asked) if fingerprint else asked
        client = Client(
            client_id=credential.identifier(),
            kind=ClientKind.DYNAMIC,
            name=asked.name,
            redirect_uris=kept.redirect_uris,
            auth_method=asked.auth_method,
            grant_types=asked.grant_types,
            created_at=int(time.time()),
            secret_digest=credential.digest(secret) if secret else None,
            jwks=asked.jwks,
            jwks_uri=asked.jwks_uri,
            registration_digest=credential.digest(token) if token else None,
            metadata=asked.extra,
            pending=self.mode is RegistrationMode.APPROVAL,
        )
        event = _event("client.registered", client, origin)
        ticket = None
        if admission:
            ticket = credential.digest(bearer or "")
            event = event.about(detail={**event.detail, "registration_token": admission.id})
        client_id = self.clients.register(client, event, ticket=ticket, fingerprint=fingerprint)
        if client_id is None:
            raise InvalidToken(NOT_ADMITTED)
        answered = replace(client, client_id=client_id, redirect_uris=asked.redirect_uris)
        return response.document(answered, issuer=self.issuer, secret=secret, registration_token=token)

    def read(self, client_id: str, token: str | None) -> dict[str, Any]:
        """The registration as it stands (RFC 7592 §2.1). Raises `InvalidToken`."""
        return response.document(self._own(client_id, token), issuer=self.issuer, registration_token=token)

    def update(self, client_id: str, token: str | None, body: bytes, origin: Origin) -> dict[str, Any]:
        """Replace the registration (RFC 7592 §2.2); the registration access token is rotated.

        A change to or from an authentication method with a secret gives or takes the secret. What an administrator
        approved waits for approval again when people would know it by something else. Raises `Forbidden` where
        registration is closed: nobody gets to say anything new of themselves then.
        """
        client = self._own(client_id, token)
        if self.mode is RegistrationMode.CLOSED:
            raise Forbidden("registration is closed here: a client can be read and deleted, not changed")
        sent = metadata.load(body)
        metadata.check_credentials(sent, client, time.time())
        asked = self._parse(sent)
        self.ceilings.change(origin)
        fresh = credential.mint(credential.Prefix.REGISTRATION)
        secret, kept = self._secret(client, asked.auth_method)
        changed = replace(
            client if asked.auth_method.has_secret else _without_secret(client),
            name=asked.name,
            redirect_uris=asked.redirect_uris,
            auth_method=asked.auth_method,
            grant_types=asked.grant_types,
            secret_digest=kept,
            jwks=asked.jwks,
            jwks_uri=asked.jwks_uri,
            registration_digest=credential.digest(fresh),
            metadata=asked.extra,
        )
        event = _event("client.updated", changed, origin)
        hold = self.mode is RegistrationMode.APPROVAL and changed.identity != client.identity
        registration, kept = client.registration_digest, client.secret_digest
        if not self.clients.update(changed, event, registration=registration, secret=kept, hold=hold):
            raise InvalidToken(NOT_CURRENT)
        return response.document(changed, issuer=self.issuer, secret=secret, registration_token=fresh)

    def remove(self, client_id: str, token: str | None, origin: Origin) -> None:
        """Deregister (RFC 7592 §2.3): its grants and tokens end. Raises `InvalidToken`."""
        client = self._own(client_id, token)
        self.ceilings.change(origin)
        self.clients.delete(client.client_id, _event("client.deleted", client, origin))

    def _admission(self, bearer: str | None) -> InitialAccessToken | None:
        """The token that opens registration, where one is needed. Raises `InvalidToken`."""
        if self.mode is not RegistrationMode.TOKEN:
            return None
        found = self.initial_access_tokens.find(credential.digest(bearer or ""))
        if found is None or not found.is_good:
            raise InvalidToken(NOT_ADMITTED)
        return found

    def _parse(self, sent: dict[str, Any]) -> metadata.ClientMetadata:
        scopes = {scope.name for resource in self.resources.all() for scope in resource.scopes}
        settled, kept = self.statements.apply(sent, time.time())
        asked = metadata.parse(settled, scopes | {OFFLINE_ACCESS})
        self.redirect_hosts.check(asked.redirect_uris)
        return replace(asked, extra={**asked.extra, **kept})

    def _own(self, client_id: str, token: str | None) -> Client:
        client = self.clients.find_fresh(client_id)
        stored = client.registration_digest if client else None
        if not credential.matches(token or "", stored or credential.digest("")) or not stored or client is None:
            raise InvalidToken(NOT_CURRENT)
        return client

    def _secret(self, client: Client, method: AuthMethod) -> tuple[str | None, bytes | None]:
        if not method.has_secret:
            return None, None
        if client.secret_digest is not None:
            return None, client.secret_digest
        secret = credential.mint(credential.Prefix.CLIENT_SECRET)
        return secret, credential.digest(secret)


def _without_secret(client: Client) -> Client:
    return replace(client, secret_digest=None, previous_secret_digest=None, previous_secret_until=None)


def _event(name: str, client: Client, origin: Origin) -> Event:
    hosts = sorted({redirect_uri.host(uri) for uri in client.redirect_uris})
    about = {"name": client.name, "redirect_hosts": hosts}
    return Event(name, f"client:{client.client_id}", origin, client_id=client.client_id, detail=about)
