"""The guard's one configuration object."""

from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from hashlib import sha256
from os import PathLike
from pathlib import Path

from . import derived, only_methods
from .asgi import App, GuardedApp
from .background import drive
from .caller import Caller
from .challenge import Challenges
from .delivery import Delivery
from .freshness import Cycle
from .identity import AsItself, Identity
from .introspection import Introspection
from .manifest import Manifest
from .metadata import OWN_PATHS, ResourceMetadata, WellKnown
from .parameters import Mirrored
from .paths import same_place
from .permissions import Permissions
from .receipts import Receipts
from .remedies import Remedies
from .scopes import Hierarchy, ScopeNames, names
from .spool import Spool
from .tools import ScopeRules
from .upkeep import Upkeep
from .urls import identifier
from .verifier import Expected, Verifier
from .wsgi import GuardedWSGIApp, WSGIApp

ALGORITHMS = frozenset({"ES256", "RS256", "EdDSA"})
MOST_INTROSPECTION_SECONDS = 60
OFFLINE_ACCESS = "offline_access"
FOLDER_CHARACTERS = 22


@dataclass(frozen=True, eq=False)
class Guard:
    """Puts OAuth in front of one MCP server.

        guard = Guard("https://notes.example/mcp", issuer="https://auth.example", scopes=["notes:read"],
                      tools={"write_note": ["notes:write"]})
        app = guard.asgi(mcp.streamable_http_app())

    Nothing is fetched before the first request. One guard serves any number of threads and event loops. Raises
    `ValueError` for settings that cannot be right, a key file that cannot be read among them.
    """

    resource: str
    """The MCP endpoint's URL: the resource identifier, what `aud` of a token has to be, byte for byte."""

    _: KW_ONLY

    issuer: str
    """The authorization server's issuer identifier, byte for byte; ``https``, or ``http`` on loopback."""

    scopes: ScopeNames
    """The base set: what every request needs, the first challenge asks for, and the metadata lists."""

    tools: Mapping[str, ScopeNames] = field(default_factory=dict)
    """Tool name → what it needs besides the base set; see also `by_annotations`."""

    prompts: Mapping[str, ScopeNames] = field(default_factory=dict)
    """Prompt name → what it needs besides the base set."""

    resources: Mapping[str, ScopeNames] = field(default_factory=dict)
    """Resource URI, or the beginning of URIs followed by ``*`` → what it needs besides the base set."""

    once: str | Collection[str] = ()
    """Tools of which each call needs a permission of its own, whatever else the token opens; it takes an `identity`."""

    default: ScopeNames | None = None
    """What needs a rule and has none needs this besides the base set; None: every scope that any rule names."""

    implies: Mapping[str, ScopeNames] = field(default_factory=dict)
    """Scope → the scopes it contains, at any depth."""

    mirrored: Mirrored = field(default_factory=dict)
    """Tool → ``Mcp-Param-{name}`` → path in the arguments, of which the header must say the same; see `by_schemas`."""

    hide_closed: bool = False
    """Leave out of lists what the token does not open. Clients then never learn of what they could ask for."""

    identity: str | PathLike[str] | None = None
    """The file with the guard's own key, from ``authserver resource add --guard-key``: who it is to its issuer."""

    receipts: Receipts = field(default_factory=Receipts)
    """Which arguments the receipt of a tool call shows, and whether receipts are sent to the issuer."""

    public_paths: str | Collection[str] = ()
    """Exact paths that pass without a token: health checks."""

    serve_authorization_server_metadata: bool = False
    """Serve the issuer's metadata at this server's origin too, for clients of MCP revision 2025-03-26."""

    resource_name: str | None = None
    """A name for people, in the RFC 9728 document."""

    algorithms: tuple[str, ...] = ("ES256", "RS256")
    """Signature algorithms of access tokens; ``EdDSA`` is known too."""

    leeway: float = 10.0
    """Seconds by which clocks may differ."""

    keys_interval: float = 2.0
    """Seconds of use after which the issuer's keys and lists of revoked tokens are checked again (conditionally)."""

    keys_bound: float = 300.0
    """Seconds after which keys and lists that could not be checked are used no more: 503 until the issuer is back."""

    introspection_seconds: float = 2.0
    """Seconds for which the issuer's word on an opaque token is believed; 0 to 60. Such tokens want an ``identity``."""

    max_body: int = 4 * 1024 * 1024
    """Bytes of a JSON body, at most."""

    def __post_init__(self) -> None:
        """Check every setting, and build what judges by them."""
        identifier(self.resource, "resource")
        if OFFLINE_ACCESS in self.base:
            raise ValueError("offline_access is between client and authorization server, never a resource's scope")
        if not self.algorithms or not ALGORITHMS.issuperset(self.algorithms):
            raise ValueError(f"algorithms are some of {sorted(ALGORITHMS)}")
        if not (0 <= self.leeway <= 300 and 0 < self.keys_interval < self.keys_bound and self.max_body > 0):
            raise ValueError("leeway is 0 to 300 s, 0 < keys_interval < keys_bound, max_body > 0")
        if not 0 <= self.introspection_seconds <= MOST_INTROSPECTION_SECONDS:
            raise ValueError(f"introspection_seconds is 0 to {MOST_INTROSPECTION_SECONDS} s")
        for path in self.open_paths:
            if same_place(path, self.endpoint) or path.startswith(OWN_PATHS):
                raise ValueError(f"{path} cannot be public")
        self._check_one_time()
        _ = self.verifier, self.rules, self.permissions, self.remedies, self.delivery

    def _check_one_time(self) -> None:
        if self.one_time and self.identity is None:
            raise ValueError("once needs an identity: the guard asks its issuer at each such call")
        for tool in self.one_time:
            if derived.of_tool(tool, once=True) is None:
                raise ValueError(f"no scope can stand for a single call of {tool!r}")

    def asgi(self, app: App) -> GuardedApp:
        """*app* behind this guard."""
        return GuardedApp(app, self)

    def wsgi(self, app: WSGIApp) -> GuardedWSGIApp:
        """*app* behind this guard."""
        return GuardedWSGIApp(app, self)

    async def verify(self, token: str) -> Caller:
        """The caller that *token* speaks for, whatever is asked: a token for some methods only is refused here.

        Raises `TokenRefused`, or `IssuerUnavailable` when there are no keys to judge by.
        """
        caller = await self.verifier.verify(token)
        only_methods.check_any(caller)
        return caller

    def verify_now(self, token: str) -> Caller:
        """As `verify`, for a thread without an event loop."""
        return drive(self.verify(token))

    def publish_tools(self, tools: Iterable[object]) -> None:
        """Tell the issuer which tools this server has: what ``await server.list_tools()`` gives, or its JSON.

        It returns at once, in coroutines and elsewhere, and never fails: the log says what came of it. The issuer takes
        it from a guard with an ``identity`` only; what is new or changed waits there until somebody agrees to it.
        """
        self._manifest.publish(tools)

    def begin(self) -> None:
        """Send the receipts that wait on disk, those of processes that have ended too.

        The first tool call does so, and `asgi` already when its server begins.
        """
        if self.delivery is not None:
            self.delivery.begin()

    async def settle(self) -> None:
        """Wait for what is being fetched or sent, a few seconds at most; `asgi` does so when its server ends."""
        if self.delivery is not None:
            await self.delivery.settle()
        await self._manifest.settle()
        await self._upkeep.settle()

    @cached_property
    def base(self) -> tuple[str, ...]:
        """The base set's scope names."""
        return names(self.scopes)

    @cached_property
    def endpoint(self) -> str:
        """The path of the MCP endpoint."""
        return identifier(self.resource, "resource").path or "/"

    @cached_property
    def open_paths(self) -> frozenset[str]:
        """The public paths: one that was given as a string is one path, not its letters."""
        return _several(self.public_paths)

    @cached_property
    def one_time(self) -> frozenset[str]:
        """The tools of which each call needs a permission of its own."""
        return _several(self.once)

    @cached_property
    def rules(self) -> ScopeRules:
        """Which scopes each operation needs."""
        return ScopeRules(self.base, self.tools, self.default, prompts=self.prompts, resources=self.resources)

    @cached_property
    def verifier(self) -> Verifier:
        """What judges tokens."""
        expected = Expected(self.issuer, self.resource, self.algorithms, self.leeway)
        return Verifier(
            expected, self._upkeep.keys, Hierarchy(self.implies), self._upkeep.revocations, self.introspection
        )

    @cached_property
    def introspection(self) -> Introspection:
        """What asks the issuer about opaque tokens."""
        return Introspection(self.as_itself, self.introspection_seconds)

    @cached_property
    def as_itself(self) -> AsItself | None:
        """The guard as a client of its issuer; None where it was given no identity."""
        if self.identity is None:
            return None
        return AsItself(Identity.read(self.identity), self.issuer, self._upkeep.metadata)

    @cached_property
    def permissions(self) -> Permissions:
        """What spends permissions for single calls."""
        return Permissions(self.as_itself)

    @cached_property
    def remedies(self) -> Remedies:
        """What registers calls outside their limits, for clients to ask for."""
        return Remedies(self.as_itself)

    @cached_property
    def delivery(self) -> Delivery | None:
        """What sends receipts; None where they are not to be sent."""
        if self.receipts.spool is None:
            return None
        if self.as_itself is None:
            raise ValueError("receipts are sent by the guard as itself: a spool needs an identity")
        # A folder for each guard, and one for all its processes: what others left is sent under the same identity.
        whose = sha256(f"{self.issuer} {self.resource}".encode()).digest()
        folder = Path(self.receipts.spool) / urlsafe_b64encode(whose).decode()[:FOLDER_CHARACTERS]
        return Delivery(Spool(folder, self.receipts.spool_bytes), self.as_itself)

    @cached_property
    def challenges(self) -> Challenges:
        """What writes refusals."""
        return Challenges(self._resource_metadata.url, self.base)

    @cached_property
    def well_known(self) -> WellKnown:
        """What is served without a token."""
        server = self._upkeep.metadata if self.serve_authorization_server_metadata else None
        return WellKnown(self._resource_metadata, server)

    @cached_property
    def _manifest(self) -> Manifest:
        return Manifest(self.as_itself)

    @cached_property
    def _resource_metadata(self) -> ResourceMetadata:
        return ResourceMetadata(self.resource, self.issuer, self.base, self.resource_name)

    @cached_property
    def _upkeep(self) -> Upkeep:
        cycle = Cycle.spread(self.keys_interval, self.keys_bound)
        return Upkeep(self.issuer, self.resource, self.algorithms, cycle)


def _several(names: str | Collection[str]) -> frozenset[str]:
    return frozenset((names,) if isinstance(names, str) else names)
