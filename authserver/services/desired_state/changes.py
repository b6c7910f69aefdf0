"""Changes: each tells what it will do, and does it by one verb of a store."""

from dataclasses import dataclass, replace

from ...protocol import credential
from ...protocol.audit import Event
from ...protocol.client import Client
from ...protocol.resource import Resource
from ...store.resources import AlreadyRegistered, UnknownResource
from ...store.stores import Stores
from .difference import Difference

ADD, CHANGE, REMOVE = "+", "~", "-"


class Overtaken(Exception):
    """Somebody else changed the same thing since the plan was made; another run sees it as it is now."""


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """Register an MCP server, or change a registered one."""

    mark: str
    resource: Resource
    differences: tuple[Difference, ...]

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"MCP server {self.resource.identifier}"

    @property
    def lets_go(self) -> bool:
        """Whether a URI no longer means this server."""
        return any(difference.member == "aliases" and difference.gone for difference in self.differences)

    def make(self, stores: Stores) -> str | None:
        """Do it. Raises `Overtaken`."""
        name, verb = ("added", stores.resources.add) if self.mark == ADD else ("replaced", stores.resources.replace)
        try:
            verb(self.resource, Event(f"resource.{name}", "system", detail={"by": "apply"}))
        except (AlreadyRegistered, UnknownResource) as other:
            raise Overtaken(str(other)) from None
        return None


@dataclass(frozen=True, slots=True)
class ClientChange:
    """Register a client, change one, or remove one. ``secret`` is a new one that nobody knows yet."""

    mark: str
    client: Client
    differences: tuple[Difference, ...]
    makes_secret: bool = False

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"client {self.client.client_id}"

    def make(self, stores: Stores) -> str | None:
        """Do it; returns the client's secret where one was made. Raises `Overtaken`."""
        secret = credential.mint(credential.Prefix.CLIENT_SECRET) if self.makes_secret else None
        client = replace(self.client, secret_digest=credential.digest(secret)) if secret else self.client
        if not self._save(client, stores):
            raise Overtaken(f"{self.subject} was changed by someone else in this moment")
        return secret

    def _save(self, client: Client, stores: Stores) -> bool:
        about = {"name": client.name, "by": "apply"}
        match self.mark:
            case "+":
                return stores.clients.preregister(client, Event("client.added", "system", detail=about))
            case "~":
                event = Event("client.updated", "system", client_id=client.client_id, detail=about)
                return stores.clients.update(client, event)
            case _:
                return stores.clients.delete(client.client_id, Event("client.deleted", "system", detail=about))


Change = ResourceChange | ClientChange
