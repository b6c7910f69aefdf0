"""Clients that an administrator registers, one by one (CR-11); a whole file of them: `services.desired_state`."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from ..protocol import credential
from ..protocol.audit import Event
from ..protocol.flaw import Flaw
from ..protocol.registration.prepared import Prepared, flaws
from ..protocol.resource import Resource
from ..store.clients import ClientStore
from ..store.resources import ResourceStore


class NotAcceptable(ValueError):
    """A client cannot be registered as it was written; the text tells every reason, a line each."""

    def __init__(self, found: Iterable[Flaw]) -> None:
        super().__init__("\n".join(map(str, found)))


class AlreadyThere(ValueError):
    """There is a client of that id."""


@dataclass(frozen=True, slots=True)
class Preregistration:
    """Registers clients on an administrator's word."""

    clients: ClientStore
    resources: ResourceStore

    def add(self, prepared: Prepared) -> str | None:
        """Register *prepared*; returns its secret if it has one, which nobody can read again.

        Raises `NotAcceptable`, and `AlreadyThere`.
        """
        if found := tuple(flaws(prepared, scopes_of(self.resources.all()))):
            raise NotAcceptable(found)
        secret = credential.mint(credential.Prefix.CLIENT_SECRET) if prepared.has_secret else None
        client = prepared.client(
            created_at=int(time.time()), secret_digest=credential.digest(secret) if secret else None
        )
        event = Event("client.added", "system", detail={"name": client.name, "kind": str(client.kind)})
        if not self.clients.preregister(client, event):
            raise AlreadyThere(f"there is a client {client.client_id} already: 'authserver client show' tells more")
        return secret


def scopes_of(resources: Iterable[Resource]) -> dict[str, tuple[str, ...]]:
    """The names of the scopes of each of *resources*, by its identifier."""
    return {one.identifier: tuple(scope.name for scope in one.scopes) for one in resources}
