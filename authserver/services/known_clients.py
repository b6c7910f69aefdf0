"""Clients by their id, however they are known: registered, or by the URL of a metadata document."""

from dataclasses import dataclass, replace
from typing import Any

from ..protocol.audit import Origin
from ..protocol.client import Client, ClientKind
from ..store.clients import ClientStore
from .key_sets import KeySets
from .metadata_documents import MetadataDocuments


@dataclass(frozen=True, slots=True)
class KnownClients:
    """For the authorization endpoint, the only one that may fetch. ``documents`` is None where switched off."""

    clients: ClientStore
    documents: MetadataDocuments | None
    keys: KeySets

    def find(self, client_id: str, origin: Origin) -> Client | None:
        """The client of that id, suspended or not; None if there is none. Raises what `MetadataDocuments.find` does."""
        found = self.clients.find(client_id)
        if found.kind is ClientKind.METADATA_DOCUMENT if found else client_id.startswith("https://"):
            return self._by_document(client_id, origin)
        if found:
            found = replace(found, vouched=found.kind is ClientKind.PREREGISTERED or found.voucher is not None)
        return found

    def held(self, client: Client) -> dict[str, Any]:
        """What a newer document of *client* would change, see `MetadataDocuments.held`; empty if nothing waits."""
        return self.documents.held(client.client_id) if self.documents else {}

    def keep(self, client: Client, origin: Origin) -> None:
        """Save a client that was found by its document and that a person is about to allow something."""
        if self.documents and client.kind is ClientKind.METADATA_DOCUMENT:
            self.documents.keep(client, origin)

    def tombstoned(self, client_id: str) -> bool:
        """Whether there was a client of that id, and it was deleted (CR-15)."""
        return self.clients.tombstoned(client_id)

    def _by_document(self, client_id: str, origin: Origin) -> Client | None:
        """None where documents are switched off, also for one that is known from before."""
        if self.documents is None:
            return None
        found = self.documents.find(client_id, origin)
        self.keys.prepare(found)
        return found
