"""Clients that are known by the URL of their metadata document: found, and kept up to date (CR-7, CR-9, CR-10)."""

import hashlib
import time
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from ..outbound.addresses import AddressPolicy
from ..outbound.fetch import FetchRefused
from ..outbound.urls import check_client_id
from ..protocol.audit import Event, Origin
from ..protocol.client import HELD_DOCUMENT, REFUSED_DOCUMENT, Client, ClientKind
from ..protocol.domain import Decision, decision_about
from ..protocol.errors import ClientRefused, DocumentRefused
from ..protocol.msg import msg
from ..protocol.registration import document
from ..store.clients import ClientStore
from ..store.domains import DomainStore
from .ceilings import AddressLimit, Room
from .documents import Documents, DocumentUnavailable

IN_FORCE = "document"  # in a client's metadata: the digest of the document that it was made from
MOST_URL = 1024  # characters: it is a part of keys, whose length databases bound
PEOPLE_KNOW = ("name", "redirect_uris", "auth_method", "jwks_uri")


@dataclass(frozen=True, slots=True)
class MetadataDocuments:
    """Makes clients of their documents.

    ``otherwise`` is the decision about domains that no administrator has decided about (None: accepted, but not
    vouched for). With ``holds_changes`` a change of what people know a client by waits for an administrator, and so it
    does where one approved the client.
    ``policy`` judges URLs; ``limit`` is for fetches that strangers cause, ``room`` for the clients that wait then.
    """

    clients: ClientStore
    domains: DomainStore
    documents: Documents
    policy: AddressPolicy
    limit: AddressLimit
    room: Room
    otherwise: Decision | None
    holds_changes: bool

    def find(self, client_id: str, origin: Origin) -> Client:
        """The client whose document is at *client_id*, as the document says now.

        Raises `ClientRefused` for a domain that is denied, `DocumentRefused` for a document that cannot be had or is
        not right, `SlowDown` and `TemporarilyUnavailable`.
        """
        decision = self._decision(client_id)
        try:
            body = self.documents.get(client_id, lambda: self.limit.count(origin)).body or ""
        except DocumentUnavailable as why:
            raise _refused(client_id, why) from None
        client = self._client(client_id, body, decision, origin)
        return replace(client, vouched=decision is Decision.ALLOW)

    def keep(self, client: Client, origin: Origin) -> None:
        """Save *client*, unless it is known by now: only what a person allows, or an administrator is to look at.

        Strangers cannot fill the table, whatever URLs they name.
        """
        if self.clients.find(client.client_id) is None:
            self.clients.preregister(client, _event("client.discovered", client, origin))

    def held(self, client_id: str) -> dict[str, Any]:
        """What would change for people if the held document came into force; empty if none is held.

        Empty too while the document is not at hand: one that nobody asks for is forgotten after a week.
        """
        client, body = self.clients.find_fresh(client_id), self._body(client_id)
        if client is None or HELD_DOCUMENT not in client.metadata or not body:
            return {}
        return changes(client, _made(client_id, body))

    def accept(self, client_id: str, seen: dict[str, Any], event: Event) -> bool:
        """Bring the held document into force; False if none is held, or *seen*, what `held` told, is not what it says.

        Whoever publishes it can change it once more while an administrator looks.
        """
        client, body = self.clients.find_fresh(client_id), self._body(client_id)
        if client is None or HELD_DOCUMENT not in client.metadata or not body:
            return False
        made = replace(_made(client_id, body), created_at=client.created_at)
        if changes(client, made) != seen:
            return False
        return self.clients.settle(made, event.about(client_id=client_id, detail=seen))

    def refuse(self, client_id: str, event: Event) -> bool:
        """Keep to the document in force until there is yet another one; False if no change is held."""
        client = self.clients.find_fresh(client_id)
        if client is None or HELD_DOCUMENT not in client.metadata:
            return False
        metadata = {**client.metadata, REFUSED_DOCUMENT: client.metadata[HELD_DOCUMENT]}
        del metadata[HELD_DOCUMENT]
        return self.clients.settle(replace(client, metadata=metadata), event.about(client_id=client_id))

    def pin(self, client_id: str, body: str, event: Event) -> None:
        """Take *body* for the client's document from now on, whatever its URL answers.

        Raises `DocumentRefused` for a URL that no client may have, and `InvalidClientMetadata` for a wrong document.
        """
        self._decision(client_id)
        document.read(client_id, body)
        self.documents.store.pin(client_id, body, event.about(client_id=client_id, detail={"sha256": digest_of(body)}))

    def unpin(self, client_id: str, event: Event) -> bool:
        """Ask the client's URL again from now on; False if no document was pinned."""
        return self.documents.store.unpin(client_id, event.about(client_id=client_id))

    def _decision(self, client_id: str) -> Decision | None:
        if len(client_id) > MOST_URL:
            raise DocumentRefused(msg("The app's URL is longer than {} characters."), str(MOST_URL))
        try:
            check_client_id(client_id, self.policy)
        except FetchRefused as wrong:
            raise _refused(client_id, wrong) from None
        host = urlsplit(client_id).hostname or ""
        decision = decision_about(host, self.domains.all()) or self.otherwise
        if decision is Decision.DENY:
            raise ClientRefused(msg("This server takes no apps from {}: an administrator decided so."), host)
        return decision

    def _client(self, client_id: str, body: str, decision: Decision | None, origin: Origin) -> Client:
        known = self.clients.find(client_id)
        if known is None:
            made = replace(_made(client_id, body), pending=decision is Decision.ASK)
            if made.pending:
                self.room.take()
                self.keep(made, origin)
            return made
        if known.pending and decision is not Decision.ASK:
            known = self._approved(known, origin)
        if digest_of(body) in map(known.metadata.get, (IN_FORCE, HELD_DOCUMENT, REFUSED_DOCUMENT)):
            return known
        holds = self.holds_changes or (decision is Decision.ASK and not known.pending)
        return self._changed(known, body, origin, holds=holds)

    def _approved(self, waiting: Client, origin: Origin) -> Client:
        """Its domain is decided about by now, so there is nothing to wait for."""
        event = Event("client.approved", "system", origin, detail={"by": "its domain"})
        self.clients.approve(waiting.client_id, waiting.identity, event)
        return replace(waiting, pending=False)

    def _changed(self, known: Client, body: str, origin: Origin, *, holds: bool) -> Client:
        made = replace(_made(known.client_id, body), created_at=known.created_at, pending=known.pending)
        differs = changes(known, made)
        if differs and holds:
            kept = replace(known, metadata={**known.metadata, HELD_DOCUMENT: digest_of(body)})
            self.clients.update(kept, _event("client.change_held", kept, origin).about(detail=differs))
            return kept
        event = _event("client.changed", made, origin).about(detail=differs)
        # It may have been approved meanwhile, as what it was: then it waits again.
        self.clients.update(made, event, hold=known.pending and bool(differs))
        return replace(made, suspended=known.suspended)

    def _body(self, client_id: str) -> str:
        kept = self.documents.kept(client_id)
        return (kept.body if kept else None) or ""


def changes(before: Client, after: Client) -> dict[str, Any]:
    """What people know a client by and is another now, by field: ``{"before": …, "after": …}``, both as text."""
    pairs = {name: (_words(getattr(before, name)), _words(getattr(after, name))) for name in PEOPLE_KNOW}
    return {name: {"before": old, "after": new} for name, (old, new) in pairs.items() if old != new}


def _words(value: str | tuple[str, ...] | None) -> str:
    return " ".join(value) if isinstance(value, tuple) else value or ""


def _refused(client_id: str, why: Exception) -> DocumentRefused:
    return DocumentRefused(msg("The app names itself by the document {}, but {}."), client_id, str(why))


def digest_of(body: str) -> str:
    """Which document it is."""
    return hashlib.sha256(body.encode()).hexdigest()


def _made(client_id: str, body: str) -> Client:
    said = document.read(client_id, body)
    return Client(
        client_id=client_id,
        kind=ClientKind.METADATA_DOCUMENT,
        name=said.name,
        redirect_uris=said.redirect_uris,
        auth_method=said.auth_method,
        grant_types=said.grant_types,
        created_at=int(time.time()),
        jwks=said.jwks,
        jwks_uri=said.jwks_uri,
        metadata={**said.extra, IN_FORCE: digest_of(body)},
    )


def _event(name: str, client: Client, origin: Origin) -> Event:
    about = {"name": client.name, "redirect_uris": list(client.redirect_uris)}
    return Event(name, f"client:{client.client_id}", origin, client_id=client.client_id, detail=about)
