"""This server's own API as a resource: what tokens for it are called, and which scopes open what (EX-1).

It is never the issuer itself, so that a token for anything else does not open it. Its scopes are the permissions of
administration, under a prefix that no MCP server's scopes may have.
"""

from .role import Permission
from .scope import RESERVED

PATH = "/api/v1"


def identifier(issuer: str) -> str:
    """The resource identifier of the API of *issuer*."""
    return issuer.rstrip("/") + PATH


def scope_of(permission: Permission) -> str:
    """The scope that opens *permission*."""
    return RESERVED + permission


def permissions(scopes: tuple[str, ...]) -> frozenset[Permission]:
    """What *scopes* open."""
    return frozenset(each for each in Permission if scope_of(each) in scopes)
