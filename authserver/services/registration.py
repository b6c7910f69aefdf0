"""Dynamic client registration and its management (RFC 7591, RFC 7592)."""

import time
from dataclasses import dataclass, replace
from typing import Any

from limits import parse as parse_limit
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from ..protocol import credential
from ..protocol.audit import Event, Origin
from ..protocol.client import AuthMethod, Client, ClientKind
from ..protocol.errors import InvalidToken, SlowDown
from ..protocol.registration import metadata, response
from ..store.clients import ClientStore

NOT_CURRENT = "the registration access token is not the current one of this client"


class AddressLimit:
    """A ceiling on registrations from one address, held by each process for itself."""

    def __init__(self, notation: str) -> None:
        """*notation* is that of the limits library, such as ``20 per hour``. Raises ValueError for another."""
        self._item = parse_limit(notation)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, address: str) -> None:
        """Count one from *address*; raises `SlowDown` over the ceiling."""
        if not self._limiter.hit(self._item, address):
            reset = self._limiter.get_window_stats(self._item, address).reset_time
            raise SlowDown("too many registrations from this address", retry_after=max(1, int(reset - time.time())))


@dataclass(frozen=True, slots=True)
class Registration:
    """Registers clients, and lets each read, change and remove its own registration."""

    issuer: str
    clients: ClientStore
    limit: AddressLimit

    def register(self, body: bytes, origin: Origin) -> dict[str, Any]:
        """The client information response of a new client (RFC 7591 §3.2.1). Raises an `OAuthError` if refused."""
        asked = metadata.parse(metadata.load(body))
        self.limit.count(origin.address)
        token = credential.mint(credential.Prefix.REGISTRATION)
        secret = None if asked.auth_method is AuthMethod.NONE else credential.mint(credential.Prefix.CLIENT_SECRET)
        client = Client(
            client_id=credential.identifier(),
            kind=ClientKind.DYNAMIC,
            name=asked.name,
            redirect_uris=asked.redirect_uris,
            auth_method=asked.auth_method,
            grant_types=asked.grant_types,
            created_at=int(time.time()),
            secret_digest=credential.digest(secret) if secret else None,
            registration_digest=credential.digest(token),
            metadata=asked.extra,
        )
        self.clients.register(client, _event("client.registered", client, origin))
        return response.document(client, issuer=self.issuer, secret=secret, registration_token=token)

    def read(self, client_id: str, token: str | None) -> dict[str, Any]:
        """The registration as it stands (RFC 7592 §2.1). Raises `InvalidToken`."""
        return response.document(self._own(client_id, token), issuer=self.issuer)

    def update(self, client_id: str, token: str | None, body: bytes, origin: Origin) -> dict[str, Any]:
        """Replace the registration (RFC 7592 §2.2); the registration access token is rotated.

        A change of the authentication method to or from ``none`` gives or takes the secret.
        """
        client = self._own(client_id, token)
        asked = metadata.parse(metadata.load(body))
        fresh = credential.mint(credential.Prefix.REGISTRATION)
        secret, kept = self._secret(client, asked.auth_method)
        changed = replace(
            client,
            name=asked.name,
            redirect_uris=asked.redirect_uris,
            auth_method=asked.auth_method,
            grant_types=asked.grant_types,
            secret_digest=kept,
            registration_digest=credential.digest(fresh),
            metadata=asked.extra,
        )
        event = _event("client.updated", changed, origin)
        if not self.clients.update(changed, event, registration=client.registration_digest):
            raise InvalidToken(NOT_CURRENT)
        return response.document(changed, issuer=self.issuer, secret=secret, registration_token=fresh)

    def remove(self, client_id: str, token: str | None, origin: Origin) -> None:
        """Deregister (RFC 7592 §2.3): its grants and tokens end. Raises `InvalidToken`."""
        client = self._own(client_id, token)
        self.clients.delete(client.client_id, _event("client.deleted", client, origin))

    def _own(self, client_id: str, token: str | None) -> Client:
        client = self.clients.find_fresh(client_id)
        stored = client.registration_digest if client else None
        if not credential.matches(token or "", stored or credential.digest("")) or not stored or client is None:
            raise InvalidToken(NOT_CURRENT)
        return client

    def _secret(self, client: Client, method: AuthMethod) -> tuple[str | None, bytes | None]:
        if method is AuthMethod.NONE:
            return None, None
        if client.secret_digest is not None:
            return None, client.secret_digest
        secret = credential.mint(credential.Prefix.CLIENT_SECRET)
        return secret, credential.digest(secret)


def _event(name: str, client: Client, origin: Origin) -> Event:
    about = {"name": client.name, "redirect_uris": list(client.redirect_uris)}
    return Event(name, f"client:{client.client_id}", origin, client_id=client.client_id, detail=about)
