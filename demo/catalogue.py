"""What the authorization server is told of the sample MCP server: its scopes in words, and the tools they open."""

from authserver.protocol.audit import Event
from authserver.protocol.resource import Resource
from authserver.protocol.scope import Risk, Scope
from authserver.protocol.tool import Tool
from authserver.store.resources import ResourceStore

NAME = "Notes"
SCOPES = (
    Scope("notes:read", "See your notes", Risk.READ, is_default=True),
    Scope("notes:write", "Add notes and change them", Risk.WRITE),
    Scope("notes:delete", "Delete notes for good", Risk.DESTRUCTIVE),
)
TOOLS = (
    Tool("list_notes", "List your notes", ("notes:read",)),
    Tool("read_note", "Read a note", ("notes:read",)),
    Tool("write_note", "Write a note", ("notes:write",)),
    Tool("delete_note", "Delete a note", ("notes:delete",)),
)


def register(resources: ResourceStore, identifier: str) -> None:
    """Register the notes server at *identifier* as the default one, unless it is there already."""
    if identifier not in {resource.identifier for resource in resources.all()}:
        notes = Resource(identifier, NAME, SCOPES, TOOLS, is_default=True)
        resources.add(notes, Event("resource.added", "system", resource=identifier))
