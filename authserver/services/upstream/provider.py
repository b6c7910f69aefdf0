"""What providers publish: their metadata and their keys, fetched when they are needed and kept while they may be."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ...protocol.errors import InvalidClientMetadata, TemporarilyUnavailable
from ...protocol.jwk import PublicKey
from ...protocol.upstream import id_token, provider
from ...protocol.upstream.flaw import Unbelievable
from ...protocol.upstream.provider import WELL_KNOWN, Provider
from ..documents import Documents, DocumentUnavailable
from .errors import Down

MOST_DOCUMENT = 256 * 1024  # bytes: key sets carry certificate chains


@dataclass(frozen=True, slots=True)
class Published:
    """Metadata and key sets of the issuers that the operator entered."""

    documents: Documents
    key_sets: Documents

    def provider(self, issuer: str) -> Provider:
        """The endpoints of *issuer*. Raises `Down`."""
        try:
            return _provider(issuer, _body(self.documents, provider.document_of(issuer)))
        except Unbelievable as wrong:
            raise Down(f"{issuer}: {wrong}") from None

    def keys(self, found: Provider) -> Sequence[PublicKey]:
        """The keys of *found*, as they are known here. Raises `Down`."""
        return _keys(_body(self.key_sets, found.jwks_uri))

    def newer_keys(self, found: Provider) -> Sequence[PublicKey]:
        """The same, fetched again unless that was done just now: a key was not among them. Raises `Down`."""
        self.key_sets.renew(found.jwks_uri)
        return self.keys(found)


def check_metadata(url: str, body: str) -> Provider:
    """Raise `InvalidClientMetadata` unless *body* describes the issuer of *url*: then a good one stays in its place."""
    issuer = url.removesuffix(WELL_KNOWN)
    try:
        return _provider(f"{issuer}/" if f'"{issuer}/"' in body.replace("\\/", "/") else issuer, body)
    except Unbelievable as wrong:
        raise InvalidClientMetadata(str(wrong)) from None


def check_keys(_url: str, body: str) -> Sequence[PublicKey]:
    """Raise `InvalidClientMetadata` unless *body* is a set of usable keys."""
    try:
        return _keys(body)
    except Unbelievable as wrong:
        raise InvalidClientMetadata(str(wrong)) from None


def _body(documents: Documents, url: str) -> str:
    try:
        return documents.get(url, lambda: None).body or ""
    except (DocumentUnavailable, TemporarilyUnavailable) as failed:
        raise Down(f"{url}: {failed}") from None


_provider = lru_cache(maxsize=100)(provider.read)
_keys = lru_cache(maxsize=100)(id_token.keys)
