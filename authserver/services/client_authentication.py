"""Who asks: the first step of every endpoint that clients authenticate at (CR-12)."""

import time
from dataclasses import dataclass

from ..protocol import client_assertion, jwk, metadata
from ..protocol.client import AuthMethod, Client
from ..protocol.client_assertion import Assertion, BadAssertion
from ..protocol.client_authentication import absent, authenticate, failed, presented
from ..protocol.errors import UnauthorizedClient
from ..protocol.form import Form
from ..protocol.ports import ClientKeys, Clients, UsedAssertions


@dataclass(frozen=True, slots=True)
class ClientAuthentication:
    """Tells the client behind a request. ``audiences`` are those that an assertion may be for."""

    audiences: frozenset[str]
    clients: Clients
    keys: ClientKeys
    used: UsedAssertions

    @classmethod
    def at(cls, issuer: str, clients: Clients, keys: ClientKeys, used: UsedAssertions) -> "ClientAuthentication":
        """For the server *issuer*: assertions are for it, or for its token endpoint (RFC 7523 §3)."""
        return cls(frozenset({issuer, metadata.token_endpoint(issuer)}), clients, keys, used)

    def caller(self, form: Form, authorization: str | None) -> Client:
        """The client that a request comes from, public or proven.

        Raises `InvalidRequest` for credentials that contradict each other, and `InvalidClient`, in the same words
        whatever is wrong, for those that prove nothing.
        """
        shown = presented(authorization, form)
        client = self.clients.find(shown.client_id)
        if shown.assertion is None:
            return authenticate(client, shown, time.time())
        return self._proven(client, shown.assertion)

    def guard(self, form: Form, authorization: str | None) -> tuple[Client, str]:
        """The guard that asks as itself, and the identifier of its resource (RS-11).

        Raises as `caller`, and `UnauthorizedClient` for anybody else.
        """
        client = self.caller(form, authorization)
        if client.guards is None:
            raise UnauthorizedClient("only the guard of an MCP server is answered here, as itself")
        return client, client.guards

    def _proven(self, client: Client | None, assertion: Assertion) -> Client:
        if client is None or client.suspended or client.pending:
            raise absent(client)
        if client.auth_method is not AuthMethod.PRIVATE_KEY_JWT:
            raise failed("assertion: of a client without keys")
        try:
            expires_at = client_assertion.check(assertion, self.audiences, time.time())
        except BadAssertion as wrong:
            raise failed(f"assertion: {wrong}") from None
        self._check_signature(client, assertion)
        if not self.used.use(client_assertion.fingerprint(client.client_id, assertion), expires_at):
            raise failed("assertion: used before")
        return client

    def _check_signature(self, client: Client, assertion: Assertion) -> None:
        keys = list(filter(None, map(jwk.read, self.keys.of(client))))
        named = [key for key in keys if assertion.kid in (None, key.kid)]
        if assertion.alg not in client.signing_algorithms:
            raise failed("assertion: not signed by an algorithm of the client")
        if any(key.verifies(assertion.alg, assertion.signed, assertion.signature) for key in named):
            return
        if assertion.kid is None or not named:
            self.keys.ask_again(client)
        raise failed("assertion: not signed by a key of the client")
