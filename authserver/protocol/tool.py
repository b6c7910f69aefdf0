"""Tools of MCP servers: what the server claims of each, what the administrator says, and what that comes to.

A server's *claim* is text and hints of somebody who is not trusted (MCP, ToolAnnotations). An administrator's *word*
stands over it, and survives every later claim. A tool with a *mark* waits for someone to agree to it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from .msg import msg
from .scope import Risk, Scope
from .way import ANY_WAY, Way

WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
READS = frozenset({"count", "describe", "fetch", "find", "get", "list", "query", "read", "search", "show", "view"})
DESTROYS = frozenset(
    {"clear", "delete", "destroy", "drop", "erase", "kill", "overwrite", "purge", "remove", "reset", "revoke"}
    | {"terminate", "truncate", "uninstall", "wipe"}
)
CHANGES = frozenset(
    {"add", "append", "apply", "approve", "assign", "book", "buy", "cancel", "change", "close", "commit", "copy"}
    | {"create", "deploy", "edit", "exec", "execute", "grant", "insert", "invite", "merge", "modify", "move", "patch"}
    | {"pay", "post", "publish", "push", "put", "rename", "replace", "run", "save", "send", "set", "share", "start"}
    | {"stop", "submit", "transfer", "update", "upload", "upsert", "write"}
)


class Word(StrEnum):
    """Whose word it is what a tool is called and how much harm it can do."""

    ADMINISTRATOR = "administrator"
    SERVER = "server"


class Mark(StrEnum):
    """What of a tool nobody has agreed to yet; `AGREED` says that nothing waits."""

    AGREED = msg("agreed")
    NEW = msg("new")
    CHANGED = msg("changed")
    GONE = msg("gone")
    """The server does not list it any more; it is kept for the administrator's words, and asks anew when it returns."""


@dataclass(frozen=True, slots=True)
class Annotations:
    """The hints of a server on one of its tools, with the specification's defaults (MCP, ToolAnnotations)."""

    read_only: bool = False
    destructive: bool = True
    idempotent: bool = False
    open_world: bool = True

    @property
    def risk(self) -> Risk:
        """What the tool does at worst, if they are true; ``destructive`` means something only where it writes."""
        if self.read_only:
            return Risk.READ
        return Risk.DESTRUCTIVE if self.destructive else Risk.WRITE


@dataclass(frozen=True, slots=True)
class Claim:
    """What a server says of a tool: neutralised words, hints, and digests of all its words and of its input schema.

    The digests are SHA-256 in lower-case hex, and cover what neutralising left out. ``arguments`` are the tool's
    arguments, each with its JSON type or ``""``; none where there are too many, or names that are not plain.
    """

    title: str
    description: str
    annotations: Annotations
    words_digest: str
    schema_digest: str
    arguments: tuple[tuple[str, str], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool of an MCP server, and the scopes that open it (all of them are needed).

    ``risk`` is None where nobody said anything of it but through its scopes. ``word`` tells whose title, description
    and risk they are; ``claim`` is the newest of the server, if it was ever heard. ``first_seen`` is in Unix seconds.
    ``policy`` is the widest way in which the administrator lets anybody call it.
    """

    name: str
    title: str
    scopes: tuple[str, ...]
    description: str = ""
    risk: Risk | None = None
    word: Word = Word.ADMINISTRATOR
    mark: Mark = Mark.AGREED
    claim: Claim | None = None
    policy: Way = ANY_WAY
    first_seen: int | None = field(default=None, compare=False)

    @property
    def annotations(self) -> Annotations:
        """The server's hints; the specification's defaults where it gave none."""
        return self.claim.annotations if self.claim else Annotations()

    def worst(self, known: Iterable[Scope]) -> Risk:
        """Its risk, or the worst of its scopes among *known* if it has none of its own."""
        return self.risk or worst(*(scope.risk for scope in known if scope.name in self.scopes))


def worst(*risks: Risk) -> Risk:
    """The gravest of *risks*; reading if there are none."""
    return max(risks, key=list(Risk).index, default=Risk.READ)


def risk_in_name(name: str) -> Risk:
    """What the words of a tool's *name* give away: ``delete_note`` destroys, whatever its annotations say."""
    words = name_words(name)
    if DESTROYS.intersection(words):
        return Risk.DESTRUCTIVE
    # What follows a reading verb is mostly a noun: get_post, list_run.
    return Risk.WRITE if words and words[0] not in READS and CHANGES.intersection(words) else Risk.READ


def name_words(name: str) -> tuple[str, ...]:
    """The words of a *name* in lower case: ``readNote``, ``read_note`` and ``read/note`` have the same two."""
    return tuple(word.lower() for word in WORDS.findall(name))
