"""Resources: the MCP servers that tokens are for, and how a request names one (RFC 8707, AZ-4)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from urllib.parse import urlsplit

from .errors import InvalidTarget
from .scope import RESERVED, Scope
from .tool import Tool
from .trace.step import Cause

DEFAULT_PORTS = {"http": 80, "https": 443}
MOST_CHARACTERS = 2048
NOT_SAID = "the resource parameter is required: this server issues tokens for several MCP servers"
NOT_KNOWN = "this resource is not registered here; an administrator adds it with 'authserver resource add'"


class TokenFormat(StrEnum):
    """What access tokens for a resource are (TK-2): JWTs that it judges by itself, or text that only we can read."""

    JWT = "jwt"
    OPAQUE = "opaque"


class SigningAlgorithm(StrEnum):
    """By what JWTs are signed (RFC 7518 §3.1, RFC 8037 §3.1)."""

    ES256 = "ES256"
    RS256 = "RS256"
    EDDSA = "EdDSA"


class Source(StrEnum):
    """Where the tools of a server were heard of."""

    SERVER = "server"
    GUARD = "guard"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Heard:
    """From where tools were taken last that differed from those known until then; ``at`` in Unix seconds."""

    source: Source
    at: int


@dataclass(frozen=True, slots=True)
class Resource:
    """A registered MCP server.

    ``identifier`` is what ``aud`` carries, byte for byte as registered; ``aliases`` are further canonical URIs.
    ``signing_algorithm`` is what its JWTs are signed by, None for what the deployment usually takes. ``heard`` is None
    where an administrator entered all that is known of its tools. While it is ``suspended``, no tokens are issued for
    it.
    """

    identifier: str
    name: str
    scopes: tuple[Scope, ...]
    tools: tuple[Tool, ...] = ()
    aliases: tuple[str, ...] = ()
    is_default: bool = False
    token_format: TokenFormat = TokenFormat.JWT
    signing_algorithm: SigningAlgorithm | None = None
    heard: Heard | None = field(default=None, compare=False)
    suspended: bool = field(default=False, compare=False)

    @property
    def default_scopes(self) -> tuple[str, ...]:
        """Names of the scopes granted to a request that names none."""
        return tuple(scope.name for scope in self.scopes if scope.is_default)

    @property
    def is_own_api(self) -> bool:
        """Whether it is this server's own API (`own_api`) and no MCP server: only its scopes have that prefix."""
        return any(scope.name.startswith(RESERVED) for scope in self.scopes)

    @property
    def names(self) -> frozenset[str]:
        """Every canonical URI that means this resource."""
        return frozenset({canonical(self.identifier), *self.aliases})


@lru_cache(maxsize=1024)
def canonical(uri: str) -> str:
    """*uri* in canonical form: lower-case scheme and host, no default port, no trailing slash.

    Raises `InvalidTarget` unless it is an absolute http(s) URI without fragment or user information (RFC 8707 §2).
    """
    if len(uri) > MOST_CHARACTERS or any(character <= " " or character >= "\x7f" for character in uri):
        raise InvalidTarget("resource must be an absolute URI (RFC 8707)")
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        raise InvalidTarget("resource must be an absolute URI (RFC 8707)") from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or "#" in uri or "@" in parts.netloc:
        raise InvalidTarget("resource must be an absolute http or https URI without fragment (RFC 8707)")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    authority = name if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{name}:{port}"
    path = parts.path.removesuffix("/")
    return f"{parts.scheme}://{authority}{path}" + (f"?{parts.query}" if parts.query else "")


def is_origin(uri: str) -> bool:
    """Whether a canonical *uri* names no path: a whole origin."""
    return uri.count("/") == 2


def identified(known: Iterable[Resource], identifier: str) -> Resource | None:
    """The one of *known* with exactly that *identifier*, or None."""
    return next((one for one in known if one.identifier == identifier), None)


def match(asked: tuple[str, ...], resources: Iterable[Resource]) -> Resource:
    """The one resource that a request is about (AZ-4).

    *asked* are the values of ``resource``, perhaps none. A bare origin means the only MCP server there; this server's
    own API is meant only where it is named in full. Raises `InvalidTarget` when it is unknown, when several are asked
    for at once, or when none was and there is no default.
    """
    known = tuple(resources)
    if not asked:
        return _default(known)
    wanted = {canonical(uri) for uri in asked}
    if len(wanted) > 1:
        raise InvalidTarget("ask for one resource at a time: a token is bound to one MCP server")
    name = wanted.pop()
    for resource in known:
        if name in resource.names:
            return resource
    at_origin = [r for r in _servers(known) if is_origin(name) and canonical(r.identifier).startswith(name + "/")]
    if len(at_origin) == 1:
        return at_origin[0]
    raise InvalidTarget(NOT_KNOWN, cause=Cause.RESOURCE_UNKNOWN)


def _servers(known: tuple[Resource, ...]) -> list[Resource]:
    return [resource for resource in known if not resource.is_own_api]


def _default(known: tuple[Resource, ...]) -> Resource:
    chosen = [resource for resource in known if resource.is_default] or _servers(known)
    if len(chosen) != 1:
        raise InvalidTarget(NOT_SAID, cause=Cause.RESOURCE_MISSING)
    return chosen[0]
