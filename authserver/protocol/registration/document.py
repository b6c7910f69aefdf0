"""Client ID Metadata Documents: what a client's own URL says of it (CR-7).

Source: draft-ietf-oauth-client-id-metadata-document. The document's place is its proof: whoever can publish at that
URL is the client. So there is no secret in it, and what it says of itself is checked as a registration is.
"""

from collections.abc import Collection

from ..client import AuthMethod
from ..errors import InvalidClientMetadata, InvalidRedirectURI
from .metadata import ClientMetadata, load, parse

SECRETS = ("client_secret", "client_secret_expires_at")
METHODS = (AuthMethod.PRIVATE_KEY_JWT, AuthMethod.NONE)


def read(url: str, body: str, scopes: Collection[str] = ()) -> ClientMetadata:
    """What the document at *url* says, reduced to what is known here; *scopes* are all that exist here.

    Raises `InvalidClientMetadata` in words for the document's author.
    """
    found = load(body.encode())
    if found.get("client_id") != url:
        raise InvalidClientMetadata("the document's client_id is not the URL that it was fetched from")
    if any(found.get(name) is not None for name in SECRETS):
        raise InvalidClientMetadata("a metadata document is public and cannot carry a client_secret")
    if not isinstance(found.get("client_name"), str) or not found["client_name"].strip():
        raise InvalidClientMetadata("the document has no client_name")
    try:
        return parse(found, scopes, METHODS)
    except InvalidRedirectURI as wrong:
        raise InvalidClientMetadata(wrong.description) from None
