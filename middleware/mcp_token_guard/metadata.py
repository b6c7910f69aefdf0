"""The documents that tell a client where to get a token: RFC 9728, and for old clients RFC 8414."""

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import urlsplit

from .discovery import ServerMetadata
from .freshness import KeptFresh
from .refusals import NotFound
from .replies import JSON, Headers, Reply
from .urls import OPENID, RESOURCE, SERVER, well_known

OWN_PATHS = tuple(f"/.well-known/{name}" for name in (RESOURCE, SERVER, OPENID))


class ResourceMetadata:
    """The RFC 9728 document of one resource, as prepared bytes.

    ``url`` is its path-suffixed address, which challenges name.
    """

    def __init__(self, resource: str, issuer: str, scopes: tuple[str, ...], name: str | None = None) -> None:
        document = {
            "resource": resource,
            "authorization_servers": [issuer],
            "scopes_supported": list(scopes),
            "bearer_methods_supported": ["header"],
        }
        if name is not None:
            document["resource_name"] = name
        self.url = well_known(urlsplit(resource), RESOURCE)
        self._body = json.dumps(document).encode("ascii")
        self._etag = etag_of(self._body)

    def reply(self, headers: Headers) -> Reply:
        """The document; *headers* are the request's."""
        return document_reply(self._body, self._etag, headers)


def etag_of(body: bytes) -> bytes:
    """A strong entity tag of *body*."""
    return b'"%s"' % urlsafe_b64encode(sha256(body).digest()[:12])


def document_reply(body: bytes, etag: bytes, headers: Headers) -> Reply:
    """200 with *body*, or 304 when the request's *headers* say that it is known (RFC 9110 §13.1.2)."""
    known = b",".join(value for name, value in headers if name == b"if-none-match")
    common = [(b"cache-control", b"public, max-age=300"), (b"etag", etag)]
    if etag in (tag.strip().removeprefix(b"W/") for tag in known.split(b",")):
        return Reply(304, common)
    return Reply(200, [(b"content-type", JSON), *common], body)


class WellKnown:
    """What is served without a token: the resource's metadata at root and path-suffixed (RFC 9728 §3.1).

    With *server*, the authorization server's metadata too, at this server's own origin, where clients of revision
    2025-03-26 look for it. No other path under these names ever reaches the application.
    """

    def __init__(self, resource: ResourceMetadata, server: KeptFresh[ServerMetadata] | None = None) -> None:
        self._resource = resource
        self._server = server
        self._suffix = urlsplit(resource.url).path.removeprefix(f"/.well-known/{RESOURCE}")

    def owns(self, path: str) -> bool:
        """Whether *path* is the guard's to answer."""
        return path.startswith(OWN_PATHS)

    async def reply(self, path: str, headers: Headers) -> Reply:
        """The document at *path*. Raises `NotFound`, or `IssuerUnavailable` where it is the issuer's to give."""
        if path.removesuffix("/") in self._places(RESOURCE):
            return self._resource.reply(headers)
        if self._server is not None and path.removesuffix("/") in self._places(SERVER):
            body = (await self._server.current()).document.body
            return document_reply(body, etag_of(body), headers)
        raise NotFound("there is no such document here")

    def _places(self, name: str) -> tuple[str, str]:
        return f"/.well-known/{name}", f"/.well-known/{name}{self._suffix}"
