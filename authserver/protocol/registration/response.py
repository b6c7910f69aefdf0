"""What a registration answers: the client's metadata as it was registered (RFC 7591 §3.2.1, RFC 7592 §3)."""

from typing import Any

from ..client import SIGNING_ALGORITHM, SIGNING_ALGORITHMS, AuthMethod, Client
from ..client import GrantType as Grants


def document(
    client: Client, *, issuer: str, secret: str | None = None, registration_token: str | None = None
) -> dict[str, Any]:
    """The client information response; *secret* and *registration_token* are there only when just made.

    ``client_secret_expires_at`` of 0 means never (RFC 7591 §3.2.1).
    """
    found: dict[str, Any] = {
        **client.metadata,
        "client_id": client.client_id,
        "client_id_issued_at": client.created_at,
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "grant_types": list(client.grant_types),
        "response_types": ["code"] if Grants.AUTHORIZATION_CODE in client.grant_types else [],
        "token_endpoint_auth_method": str(client.auth_method),
    }
    if client.registration_digest is not None:  # a client that several share is nobody's to manage
        found["registration_client_uri"] = f"{issuer.rstrip('/')}/register/{client.client_id}"
    if secret is not None:
        found["client_secret"] = secret
    if client.auth_method.has_secret:
        found["client_secret_expires_at"] = 0
    if client.auth_method is AuthMethod.PRIVATE_KEY_JWT:
        found |= {"jwks": client.jwks} if client.jwks else {"jwks_uri": client.jwks_uri}
        if SIGNING_ALGORITHMS in client.metadata:
            found[SIGNING_ALGORITHM] = client.signing_algorithms[0]
    if registration_token is not None:
        found["registration_access_token"] = registration_token
    return found
