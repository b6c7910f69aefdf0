"""Changes: each tells what it will do, and does it by one verb of a store."""

from dataclasses import dataclass, replace
from typing import Protocol

from ...protocol import credential
from ...protocol.audit import Event
from ...protocol.client import Client
from ...protocol.resource import Resource
from ...store.resources import AlreadyRegistered, UnknownResource
from ...store.stores import Stores
from .difference import Difference

ADD, CHANGE, REMOVE = "+", "~", "-"
APPLY = Event("", "system", detail={"by": "apply"})
"""Who makes a change if nobody else is named; the event's name is the change's."""


class Change(Protocol):
    """Anything that a file can bring about. ``mark`` says whether its subject comes, changes or goes."""

    @property
    def mark(self) -> str:
        """`ADD`, `CHANGE` or `REMOVE`."""

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What becomes different, member by member."""

    @property
    def subject(self) -> str:
        """What it is about."""

    @property
    def consequence(self) -> str:
        """What goes along with it, or nothing."""

    def make(self, stores: Stores, by: Event = APPLY) -> str | None:
        """Do it; returns a secret where one was made. Raises `Overtaken`, with nothing done."""


class Overtaken(Exception):
    """Somebody else changed the same thing since the plan was made; another run sees it as it is now."""


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """Register an MCP server, or change a registered one."""

    mark: str
    resource: Resource
    differences: tuple[Difference, ...]
    before: Resource | None = None

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"MCP server {self.resource.identifier}"

    @property
    def consequence(self) -> str:
        """Nothing else."""
        return ""

    @property
    def lets_go(self) -> bool:
        """Whether a URI no longer means this server."""
        return any(difference.member == "aliases" and difference.gone for difference in self.differences)

    def make(self, stores: Stores, by: Event = APPLY) -> None:
        """Do it. Raises `Overtaken`."""
        try:
            if self.before is None:
                stores.resources.add(self.resource, by.about(name="resource.added"))
            elif not stores.resources.exchange(self.before, self.resource, by.about(name="resource.replaced")):
                raise Overtaken(f"{self.subject} was changed by someone else in this moment")
        except (AlreadyRegistered, UnknownResource) as other:
            raise Overtaken(str(other)) from None


@dataclass(frozen=True, slots=True)
class SuspensionChange:
    """Suspend an MCP server, or let it be used again."""

    identifier: str
    suspended: bool
    mark: str = CHANGE

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"MCP server {self.identifier}"

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Whether it is."""
        yes = ("yes",)
        return (Difference("suspended", () if self.suspended else yes, yes if self.suspended else ()),)

    @property
    def consequence(self) -> str:
        """What it means for its clients."""
        return "no tokens are issued for it; its grants stay" if self.suspended else "its grants count again"

    def make(self, stores: Stores, by: Event = APPLY) -> None:
        """Do it. Raises `Overtaken`."""
        about = by.about(name="resource.suspended" if self.suspended else "resource.resumed")
        try:
            stores.resources.set_suspended(self.identifier, self.suspended, about)
        except UnknownResource as gone:
            raise Overtaken(str(gone)) from None


@dataclass(frozen=True, slots=True)
class ClientChange:
    """Register a client, change what was one ``before``, or remove one."""

    mark: str
    client: Client
    differences: tuple[Difference, ...]
    before: Client | None = None
    makes_secret: bool = False

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"client {self.client.client_id}"

    @property
    def consequence(self) -> str:
        """What a client takes along."""
        return "its grants and tokens end with it" if self.mark == REMOVE else ""

    def make(self, stores: Stores, by: Event = APPLY) -> str | None:
        """Do it; returns the client's secret where one was made. Raises `Overtaken`."""
        secret = credential.mint(credential.Prefix.CLIENT_SECRET) if self.makes_secret else None
        client = replace(self.client, secret_digest=credential.digest(secret)) if secret else self.client
        if not self._save(client, stores, by):
            raise Overtaken(f"{self.subject} was changed by someone else in this moment")
        return secret

    def _save(self, client: Client, stores: Stores, by: Event) -> bool:
        by = by.about(client_id=client.client_id, detail={"name": client.name, **by.detail})
        if self.mark == REMOVE:
            return stores.clients.delete(client.client_id, by.about(name="client.deleted"))
        if self.before is None:
            return stores.clients.preregister(client, by.about(name="client.added"))
        return stores.clients.update(client, by.about(name="client.updated"), before=self.before)
