"""The public keys of clients: given with the client, or published at its ``jwks_uri`` (CR-12).

Token calls never fetch: they use what is known, and have it renewed by another thread.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..protocol import jwk, strict_json
from ..protocol.client import Client, ClientKind
from ..protocol.errors import InvalidClientMetadata, TemporarilyUnavailable
from .documents import Documents
from .later import Later

MOST_KEY_SET = 16 * 1024  # bytes: vendors' sets carry certificate chains
Keys = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class KeySets:
    """Implements `protocol.ports.ClientKeys`.

    ``strangers`` are key sets whose address a client told, ``entered`` those whose address an administrator entered.
    Each has threads of its own (``later``, ``entered_later``): however many slow sources strangers name, those that an
    administrator entered do not wait for them.
    """

    strangers: Documents
    entered: Documents
    later: Later
    entered_later: Later

    def of(self, client: Client) -> Keys:
        """The public JWKs of *client* as they are known here; never fetches."""
        if client.jwks_uri is None:
            by_value: Keys = (client.jwks or {}).get("keys", ())
            return by_value
        kept = self._documents(client).kept(client.jwks_uri)
        if kept is None or not kept.is_current:
            self._renew(client)
        return read("", kept.body) if kept and kept.body else ()

    def ask_again(self, client: Client) -> None:
        """A key was not found: have the set behind ``jwks_uri`` fetched, unless it was a moment ago.

        Raises `TemporarilyUnavailable` when that is going to happen, so that the client comes again.
        """
        if self._renew(client):
            raise TemporarilyUnavailable("the client's keys are being fetched; try again", retry_after=2)

    def prepare(self, client: Client) -> None:
        """Have the keys here by the time when the client comes for its tokens."""
        if client.jwks_uri is not None and self._documents(client).kept(client.jwks_uri) is None:
            self._renew(client)

    def _renew(self, client: Client) -> bool:
        """Have the set fetched soon by another than this request; False if there is no point in it."""
        if client.jwks_uri is None:
            return False
        url, documents = client.jwks_uri, self._documents(client)
        if not documents.may_renew(url):
            return False
        later = self.later if documents is self.strangers else self.entered_later
        later.do(documents.prefix + url, lambda: documents.renew(url))
        return True

    def _documents(self, client: Client) -> Documents:
        return self.entered if client.kind is ClientKind.PREREGISTERED else self.strangers


@lru_cache(maxsize=1000)
def read(url: str, body: str) -> Keys:
    """The usable keys of the key set *body*, which *url* answered. Raises `InvalidClientMetadata`."""
    try:
        found = strict_json.loads(body.encode())
    except ValueError:
        raise InvalidClientMetadata("the key set is not JSON") from None
    keys: Keys = jwk.public_set(found)["keys"]
    return keys
