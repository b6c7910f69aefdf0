"""The plan: what would have to change for a file to be true."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from ...protocol import catalogue, credential, own_api
from ...protocol.client import Client, ClientKind
from ...protocol.flaw import Flaw
from ...protocol.registration import prepared
from ...protocol.resource import Resource, canonical
from ...store.stores import Stores
from ..preregistration import scopes_of
from . import difference, people, rules
from .changes import ADD, CHANGE, REMOVE, Change, ClientChange, ResourceChange, SuspensionChange
from .declared import ClientEntry, Declared, declared
from .document import load

OVERLAP = 86_400  # seconds


@dataclass(frozen=True, slots=True)
class Planner:
    """Compares what is wanted with the state of one deployment.

    *environment* has the secrets that a file names; *keeps* says that it is a file, which keeps the clients it adds.
    """

    stores: Stores
    issuer: str
    environment: Mapping[str, str] = field(default_factory=dict)
    keeps: bool = True

    def plan(self, text: bytes, *, prune: bool) -> tuple[Change, ...]:
        """The changes that make the file *text* true, in the order to make them; servers first, removals last.

        With *prune* also the removal of clients that a file made once, and that this one has not. Raises
        `document.Unreadable` with all that is wrong.
        """
        document = load(text)
        wanted = declared(document)
        if found := self.flaws(wanted):
            raise document.refuse(*found)
        return (*self.changes(wanted), *(self._removals(wanted) if prune else ()))

    def flaws(self, wanted: Declared) -> tuple[Flaw, ...]:
        """All that keeps *wanted* from being made true."""
        self.stores.resources.refresh()
        servers = self._servers(wanted)
        found = (*self._resource_flaws(servers), *self._client_flaws(wanted, servers))
        return (*found, *people.flaws(self.stores, wanted.people), *rules.flaws(wanted.rules))

    def changes(self, wanted: Declared) -> tuple[Change, ...]:
        """The changes that make *wanted*, which has no flaws, true: servers first."""
        # Rules after the people of whom they speak, so that none counts before its group has anybody.
        later = (*people.changes(self.stores, wanted.people), *rules.changes(self.stores, wanted.rules))
        return (*self.registrations(wanted), *self._suspensions(wanted), *later)

    def registrations(self, wanted: Declared) -> tuple[ResourceChange | ClientChange, ...]:
        """Those of servers and clients alone."""
        # A name can go from one server to another: first those that let go of one.
        renamed = sorted(self._resources(self._servers(wanted)), key=lambda change: not change.lets_go)
        return (*renamed, *self._clients(wanted))

    def _servers(self, wanted: Declared) -> tuple[Resource, ...]:
        known = {server.identifier: server.tools for server in self.stores.resources.every()}
        return tuple(entry.resource(known.get(entry.url, ())) for entry in wanted.resources)

    def _resource_flaws(self, servers: tuple[Resource, ...]) -> Iterator[Flaw]:
        whole = True
        for position, server in enumerate(servers):
            for flaw in catalogue.flaws(server, self.issuer):
                whole = False
                yield flaw.inside("resources", position)
        if whole:
            yield from _taken(servers, self.stores.resources.every())
        if sum(server.is_default for server in servers) > 1:
            yield Flaw(("resources",), "only one of them is the default")

    def _client_flaws(self, wanted: Declared, servers: tuple[Resource, ...]) -> Iterator[Flaw]:
        scopes = {**scopes_of(self.stores.resources.every()), **scopes_of(servers)}
        ids = [entry.id for entry in wanted.clients]
        for position, entry in enumerate(wanted.clients):
            found = [*prepared.flaws(entry.prepared(), scopes), entry.secret_flaw(self.environment)]
            if entry.id in ids[:position]:
                found.append(Flaw(("id",), "is there twice"))
            found.append(self._kind_flaw(entry.id))
            yield from (flaw.inside("clients", position) for flaw in found if flaw is not None)

    def _kind_flaw(self, client_id: str) -> Flaw | None:
        current = self.stores.clients.find_fresh(client_id)
        if current is None or current.kind is ClientKind.PREREGISTERED:
            return None
        return Flaw(("id",), f"this id is a client's that is not pre-registered, but {current.kind}")

    def _resources(self, servers: tuple[Resource, ...]) -> Iterator[ResourceChange]:
        current = {server.identifier: server for server in self.stores.resources.every()}
        for written in servers:
            server = replace(written, aliases=_aliases(written))
            before = current.get(server.identifier)
            known = difference.of_resource(before) if before else {}
            if differences := difference.between(known, difference.of_resource(server)):
                yield ResourceChange(CHANGE if before else ADD, server, differences, before)

    def _suspensions(self, wanted: Declared) -> Iterator[SuspensionChange]:
        now = {server.identifier for server in self.stores.resources.suspended()}
        for entry in wanted.resources:
            if entry.suspended is not None and entry.suspended != (entry.url in now):
                yield SuspensionChange(entry.url, entry.suspended)

    def _clients(self, wanted: Declared) -> Iterator[ClientChange]:
        for entry in wanted.clients:
            current = self.stores.clients.find_fresh(entry.id)
            change = self._changed(entry, current) if current else self._added(entry)
            if change.differences:
                yield change

    def _added(self, entry: ClientEntry) -> ClientChange:
        secret = entry.secret(self.environment)
        digest = credential.digest(secret) if secret else None
        client = entry.prepared().client(created_at=int(time.time()), secret_digest=digest, declared=self.keeps)
        differences = difference.between({}, difference.of_client(client))
        makes_secret = entry.prepared().has_secret and secret is None
        return ClientChange(ADD, client, differences, makes_secret=makes_secret)

    def _changed(self, entry: ClientEntry, current: Client) -> ClientChange:
        wanted = entry.prepared()
        target = replace(
            current,
            name=wanted.name,
            redirect_uris=wanted.redirect_uris,
            auth_method=wanted.auth_method,
            grant_types=wanted.grant_types,
            jwks=wanted.keys,
            jwks_uri=wanted.jwks_uri,
            ceilings=wanted.ceilings,
        )
        differences = difference.between(difference.of_client(current), difference.of_client(target))
        secret = entry.secret(self.environment)
        lets_in = own_api.identifier(self.issuer) in target.ceilings.keys() - current.ceilings.keys()
        if lets_in or not wanted.has_secret:  # as by `client allow`, no secret from before lets anybody into the API
            target = replace(target, secret_digest=None, previous_secret_digest=None, previous_secret_until=None)
        if wanted.has_secret and secret is not None and credential.digest(secret) != target.secret_digest:
            target = _with_secret(target, credential.digest(secret))
        makes_secret = wanted.has_secret and target.secret_digest is None
        if makes_secret:
            differences = (*differences, _of_secret("a new one"))
        elif target.secret_digest != current.secret_digest:
            differences = (*differences, _of_secret("another" if target.secret_digest else ""))
        return ClientChange(CHANGE, target, differences, current, makes_secret=makes_secret)

    def _removals(self, wanted: Declared) -> Iterator[ClientChange]:
        kept = {entry.id for entry in wanted.clients}
        for client in self.stores.clients.declared():
            if client.client_id not in kept:
                name = difference.Difference("name", (client.name,), ())
                yield ClientChange(REMOVE, client, (name,))


def _with_secret(client: Client, digest: bytes) -> Client:
    """*client* with another secret; the one until now stays good for a while, so that there is no outage (CR-12)."""
    until = int(time.time()) + OVERLAP if client.secret_digest else None
    return replace(
        client, secret_digest=digest, previous_secret_digest=client.secret_digest, previous_secret_until=until
    )


def _of_secret(new: str) -> difference.Difference:
    return difference.Difference("secret", (), (new,) if new else ())


def _aliases(server: Resource) -> tuple[str, ...]:
    own = canonical(server.identifier)
    return tuple(sorted({canonical(alias) for alias in server.aliases} - {own}))


def _taken(servers: tuple[Resource, ...], registered: tuple[Resource, ...]) -> Iterator[Flaw]:
    """Names that would mean two servers, once all *servers* are as they are written."""
    written = {server.identifier for server in servers}
    owners = {
        name: server.identifier for server in registered if server.identifier not in written for name in server.names
    }
    for position, server in enumerate(servers):
        for name in sorted({canonical(server.identifier), *_aliases(server)}):
            if name in owners:
                yield Flaw(("resources", position), f"{name} means {owners[name]} already")
            owners.setdefault(name, server.identifier)
