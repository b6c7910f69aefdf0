"""Which registered MCP server a request is about, also when it was registered a moment ago by another process."""

from ..protocol.errors import InvalidTarget
from ..protocol.ports import Resources
from ..protocol.resource import NOT_KNOWN, Resource, identified, match
from ..protocol.trace.step import Cause


def find(asked: tuple[str, ...], resources: Resources) -> Resource:
    """The resource that *asked* (the values of ``resource``) mean. Raises `InvalidTarget`.

    What is not found is looked for once more among all that are registered by now: a new server is live at once.
    """
    try:
        return match(asked, resources.all())
    except InvalidTarget:
        resources.refresh()
        return match(asked, resources.all())


def check(identifier: str, resources: Resources) -> None:
    """Raise `InvalidTarget` unless tokens are issued for that server: not while it is suspended."""
    if identified(resources.all(), identifier) is None:
        resources.refresh()
        if identified(resources.all(), identifier) is None:
            raise InvalidTarget(NOT_KNOWN, cause=Cause.RESOURCE_UNKNOWN)
