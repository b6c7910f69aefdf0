"""What real clients were seen to send: the files of ``recordings``, for tests and for whoever tries a deployment.

A file is named by its client's id in the registry, and by what tells it from that client's other ones. It has a
``register`` body or, with ``registration`` of ``metadata_document``, the ``document``; the parameters of ``authorize``,
``token`` and ``refresh``; and where the client has them: ``headers`` of its token requests, ``refreshes`` (how many at
once), ``step_up`` (the scope that it asks for when it needs more), and ``browser`` (its origin and its preflights).
``${…}`` are what differs each time. The MCP server that they were seen at has the scope ``notes:read``.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

SCOPE = "notes:read"
SUFFIX = ".json"


@cache
def names() -> tuple[str, ...]:
    """The names of all recordings, sorted."""
    folder = files(__package__).joinpath("recordings")
    return tuple(sorted(file.name.removesuffix(SUFFIX) for file in folder.iterdir() if file.name.endswith(SUFFIX)))


def recording(name: str) -> dict[str, Any]:
    """One recording. Raises `LookupError` for a name that is none of `names`."""
    if name not in names():
        raise LookupError(name)
    text = files(__package__).joinpath("recordings", name + SUFFIX).read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found
