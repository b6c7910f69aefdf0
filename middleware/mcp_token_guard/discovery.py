"""Where the authorization server keeps things: its metadata, read from the configured issuer alone (RFC 8414)."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .fetch import Document, FetchError, fetch
from .urls import OPENID, SERVER, identifier, trusted, well_known

TEMPLATES = ("revoked_tokens_uri_template", "status_summary_uri_template")

log = logging.getLogger("mcp_token_guard")


@dataclass(frozen=True, slots=True)
class ServerMetadata:
    """An authorization server's metadata: the document as it was served, its members, where from, where keys are.

    ``revoked_tokens`` is the template of a resource's list of single revoked tokens, if there are such lists;
    ``status_summary`` that of the summary of all its lists.
    """

    url: str
    document: Document
    members: Mapping[str, Any]
    jwks_uri: str
    revoked_tokens: str | None = None
    status_summary: str | None = None


class Discovery:
    """Reads the metadata of one issuer.

    Raises `ValueError` for an issuer that is neither ``https`` nor on loopback.
    """

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._urls = locations(issuer)

    async def read(self, previous: ServerMetadata | None = None) -> ServerMetadata:
        """The metadata; *previous* itself when it has not changed.

        Raises `FetchError` when no location has a document of exactly this issuer.
        """
        problems = []
        for url in self._urls:
            known = previous if previous is not None and previous.url == url else None
            try:
                document = await fetch(url, known.document if known else None)
                return known if known and known.document is document else self._parse(url, document)
            except FetchError as error:
                problems.append(str(error))
        raise FetchError("no metadata of the issuer: " + "; ".join(problems))

    def _parse(self, url: str, document: Document) -> ServerMetadata:
        try:
            members = json.loads(document.body)
            issuer, jwks_uri = members["issuer"], members["jwks_uri"]
            trusted(jwks_uri, "jwks_uri")
            templates = [_template(members, name) for name in TEMPLATES]
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
            raise FetchError(f"{url} is no usable metadata document: {error!r}") from error
        if issuer != self._issuer:
            # RFC 8414 §3.3: byte for byte, or the document is someone else's.
            raise FetchError(f"{url} is of the issuer {issuer!r}, not {self._issuer!r}")
        return ServerMetadata(url, document, members, jwks_uri, *templates)


def _template(members: Mapping[str, Any], name: str) -> str | None:
    found: str | None = members.get(name)
    if found is not None and "{resource}" not in found:
        raise ValueError(f"{name} has no {{resource}}")
    return found


def locations(issuer: str) -> tuple[str, ...]:
    """The URLs to try, in order: RFC 8414, then OpenID by insertion and by appending (MCP discovery, RFC 8414 §5).

    Raises `ValueError` for an issuer that is neither ``https`` nor on loopback.
    """
    parts = identifier(issuer, "issuer")
    urls = (
        well_known(parts, SERVER),
        well_known(parts, OPENID),
        f"{issuer.removesuffix('/')}/.well-known/{OPENID}",
    )
    return tuple(dict.fromkeys(urls))
