"""What rules are asked about: who wants something, through which client, at which server, when and from where."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from urllib.parse import urlsplit

from .. import redirect_uri
from ..amr import Method
from ..client import VOUCHED_BY, AuthMethod, Client, ClientKind
from ..msg import msg
from ..registry.recognition import Proof, recognise
from ..role import Role
from ..scope import Risk

MACHINE = frozenset({"machine"})
FACTORS = {Method.POSSESSION: msg("passkey"), Method.ONE_TIME: msg("code")}
NO_FACTOR = msg("none")


@dataclass(frozen=True, slots=True)
class Person:
    """A person as rules know them; ``username`` in lower case."""

    username: str
    role: Role
    groups: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Whatever ``who`` may call them."""
        groups = (f"group:{name}" for name in self.groups)
        return frozenset({"person", f"user:{self.username}", f"role:{self.role}", *groups})


@dataclass(frozen=True, slots=True)
class Through:
    """A client as rules know it: whatever ``through`` may call it, and whether what it says of itself is proven."""

    client: Client
    names: frozenset[str]
    verified: bool


class ItemKind(StrEnum):
    """What rules decide on."""

    SCOPE = "scope"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Item:
    """One scope, or one tool with all the ``scopes`` that it needs."""

    kind: ItemKind
    name: str
    risk: Risk
    scopes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Its kind and name in one word: ``tool:delete_note``."""
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class Request:
    """A request without its items. ``person`` is None where a client asks for itself; ``at`` is in Unix seconds.

    ``methods`` are those by which the person had signed in. ``names`` are whatever ``who`` may call whoever asks; each
    rule is held against them, and against the ``factor`` beside a password.
    """

    person: Person | None
    through: Through
    server: str
    at: int
    address: str
    methods: tuple[str, ...] = ()
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", self.person.names if self.person else MACHINE)

    @property
    def factor(self) -> str:
        """``passkey``, ``code``, or ``none`` after a password alone, or for a client that asks for itself."""
        return next((word for method, word in FACTORS.items() if method in self.methods), NO_FACTOR)


def publisher(client: Client) -> str:
    """The host of its metadata document; empty for a client without one."""
    return (urlsplit(client.client_id).hostname or "") if client.kind is ClientKind.METADATA_DOCUMENT else ""


def through(client: Client, *, vouched: bool = False, sent_to: str | None = None) -> Through:
    """*client* as rules know it; *vouched*: an administrator allowed the domain of its metadata document.

    *sent_to* is where the code went (`redirect_uri.host`) of which it has what it has by now. ``known:`` is by what
    it says of itself where nothing contradicts that. It is verified if an administrator, a trusted statement, or
    the only places where it publishes or has codes sent prove who it is. A dynamic client may have registered these
    since: they prove nothing of a code that went elsewhere.
    """
    found = _judged(client.client_id, client.kind, client.name, client.redirect_uris, client.voucher, vouched, sent_to)
    return Through(client, *found)


@lru_cache(maxsize=4096)
def _judged(
    client_id: str,
    kind: ClientKind,
    name: str,
    redirect_uris: tuple[str, ...],
    voucher: str | None,
    vouched: bool,
    sent_to: str | None,
) -> tuple[frozenset[str], bool]:
    said = {VOUCHED_BY: voucher} if voucher else {}
    client = Client(client_id, kind, name, redirect_uris, AuthMethod.NONE, (), 0, metadata=said)
    found = [recognise(client, uri) for uri in redirect_uris]
    known = (f"known:{one.known.id}" for one in found if one.known)
    hosts = (f"host:{one}" for one in _and_above(publisher(client)))
    elsewhere = kind is ClientKind.DYNAMIC and sent_to not in {None, *map(redirect_uri.host, redirect_uris)}
    proven = bool(found) and all(one.proof is not Proof.NONE for one in found) and not elsewhere
    verified = proven or vouched or kind is ClientKind.PREREGISTERED
    return frozenset({f"client:{client_id}", f"kind:{kind}", *known, *hosts}), verified


def _and_above(host: str) -> Iterable[str]:
    """*host* and the domains that it lies in."""
    labels = host.lower().split(".") if host else []
    return [".".join(labels[index:]) for index in range(len(labels))]
