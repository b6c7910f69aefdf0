"""Token revocation (RFC 7009, TK-8): a client ends its own tokens."""

from dataclasses import dataclass

from ..protocol import credential
from ..protocol.audit import Event, Origin
from ..protocol.client import Client
from ..protocol.form import Form
from ..store.access_tokens import AccessTokenStore
from ..store.refresh_tokens import RefreshTokenStore
from .ceilings import ClientLimit
from .client_authentication import ClientAuthentication
from .token_formats import TokenFormats


@dataclass(frozen=True, slots=True)
class Revocation:
    """Ends refresh families and single access tokens."""

    who: ClientAuthentication
    refresh_tokens: RefreshTokenStore
    access_tokens: AccessTokenStore
    formats: TokenFormats
    limit: ClientLimit

    def revoke(self, form: Form, authorization: str | None, origin: Origin) -> None:
        """End the token of *form*; silently nothing for one that is unknown or another client's (RFC 7009 §2.2).

        A refresh token, even one that was rotated since, takes its family and their access tokens along.
        """
        client = self.who.caller(form, authorization)
        if not client.is_public:  # anyone could use up what is another's by its id
            self.limit.count(client.client_id)
        token = form.need("token")
        event = Event("token.revoked", f"client:{client.client_id}", origin, client_id=client.client_id)
        if token.startswith(credential.Prefix.REFRESH):
            self.refresh_tokens.revoke(credential.digest(token), client.client_id, event)
        else:
            self._revoke_access_token(token, client, event)

    def _revoke_access_token(self, token: str, client: Client, event: Event) -> None:
        claims = self.formats.read(token)
        if claims and claims["client_id"] == client.client_id:
            person = claims["sub"] if claims["sub"] != client.client_id else None
            about = event.about(user_id=person, resource=claims["aud"])
            self.access_tokens.revoke(claims["jti"], claims["exp"], about)
