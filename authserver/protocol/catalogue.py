"""What an MCP server may be registered as: its URIs, scopes and tools, checked before they are saved (AZ-4, AZ-5)."""

from collections.abc import Iterator

from .errors import InvalidTarget
from .flaw import Flaw
from .msg import Filled, msg
from .resource import Resource, canonical
from .scope import OFFLINE_ACCESS, RESERVED, TOKEN
from .tool_request import DERIVED

MOST_NAME = 200
NAME = msg("1 to {} printable characters")
ITSELF = msg("an MCP server is not the authorization server itself: a token's audience says which")
NO_QUERY = msg("an MCP server's URL has no query")


def flaws(resource: Resource, issuer: str) -> Iterator[Flaw]:
    """All that is wrong with *resource*, whose aliases are as they were written; *issuer* is this server."""
    uris = [(("url",), resource.identifier), *((("aliases", n), uri) for n, uri in enumerate(resource.aliases))]
    for where, uri in uris:
        if problem := _uri_problem(uri, issuer):
            yield Flaw(where, problem)
    if not resource.name.strip() or len(resource.name) > MOST_NAME or not resource.name.isprintable():
        yield Flaw(("name",), Filled(NAME, MOST_NAME))
    yield from _scope_flaws(resource)
    yield from _tool_flaws(resource)


def _uri_problem(uri: str, issuer: str) -> str:
    try:
        shortest = canonical(uri)
    except InvalidTarget as wrong:
        return str(wrong.description)
    if shortest == canonical(issuer):
        return Filled(ITSELF)
    return Filled(NO_QUERY) if "?" in uri else ""


def _scope_flaws(resource: Resource) -> Iterator[Flaw]:
    names = [scope.name for scope in resource.scopes]
    if not names:
        yield Flaw(("scopes",), "at least one")
    for position, scope in enumerate(resource.scopes):
        where = ("scopes", position)
        if problem := _name_problem(scope.name, names[:position]):
            yield Flaw((*where, "name"), problem)
        if not scope.description.strip() or not scope.description.isprintable():
            yield Flaw((*where, "description"), "says in printable words what it allows")
        if missing := [name for name in scope.implies if name not in names]:
            yield Flaw((*where, "implies"), f"not scopes of this server: {', '.join(missing)}")


def _name_problem(name: str, before: list[str]) -> str:
    if not TOKEN.fullmatch(name):
        return "a scope token (RFC 6749 section 3.3): 1 to 200 characters, no space"
    if name in before:
        return "is there twice"
    if name == OFFLINE_ACCESS or name.startswith(RESERVED):
        return f"{OFFLINE_ACCESS} is about refresh tokens, {RESERVED}… about this server itself"
    return f"{'… and '.join(DERIVED)}… stand for permissions of single tools" if name.startswith(DERIVED) else ""


def _tool_flaws(resource: Resource) -> Iterator[Flaw]:
    scopes = {scope.name for scope in resource.scopes}
    tools = [tool.name for tool in resource.tools]
    for position, tool in enumerate(resource.tools):
        where = ("tools", position)
        if not TOKEN.fullmatch(tool.name):
            yield Flaw((*where, "name"), "1 to 200 visible characters, no space")
        elif tool.name in tools[:position]:
            yield Flaw((*where, "name"), "is there twice")
        if not tool.scopes or not scopes.issuperset(tool.scopes):
            yield Flaw((*where, "scopes"), "is opened by scopes of this server only, and by at least one")
        if not (tool.title + tool.description).isprintable():
            yield Flaw((*where, "title"), "title and description are printable")
