"""Which scopes of a grant nobody needed: told from the tools that were called, and never too many."""

import pytest

from authserver.protocol.resource import Resource
from authserver.protocol.scope import Risk, Scope
from authserver.protocol.tool import Tool
from authserver.services.connections import unused

pytestmark = pytest.mark.requirement("RS-8")

NOTES = Resource(
    "https://notes.example/mcp",
    "Notes",
    (
        Scope("base", "Connect", is_default=True),
        Scope("read", "Read"),
        Scope("write", "Write", Risk.WRITE, implies=("read",)),
        Scope("delete", "Delete", Risk.DESTRUCTIVE),
        Scope("all", "Everything", Risk.DESTRUCTIVE, implies=("write", "delete")),
        Scope("feed", "Follow the feed"),
    ),
    (
        Tool("read_note", "Read", ("read",)),
        Tool("write_note", "Write", ("write",)),
        Tool("delete_note", "Delete", ("delete",)),
        Tool("move_note", "Move", ("write", "delete")),
    ),
)


@pytest.mark.parametrize(
    ("granted", "called", "found"),
    [
        (("read", "delete"), {"read_note"}, ("delete",)),
        (("read", "delete"), {"read_note", "delete_note"}, ()),
        (("read", "delete"), set(), ("read", "delete")),
        (("read", "write", "delete"), {"move_note"}, ()),
        (("read", "write"), {"read_note"}, ("write",)),
        (("write",), {"read_note"}, ()),
        (("read", "write"), {"write_note"}, ()),
        (("read", "write", "all"), {"read_note"}, ("write", "all")),
        (("read", "all"), {"write_note"}, ()),
        (("base", "read"), set(), ("read",)),
        (("feed", "read"), {"read_note"}, ()),
        (("former", "read"), {"read_note"}, ()),
        (("read",), {"a tool that nobody knows"}, ("read",)),
    ],
)
def test_a_scope_is_unused_when_no_call_needed_it(granted: tuple[str, ...], called: set[str], found: tuple[str, ...]):
    assert unused(granted, called, NOTES) == found
