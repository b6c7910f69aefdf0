"""What tools say of themselves in ``tools/list``: read from the SDK's objects, or from their JSON."""

from collections.abc import Mapping


def member(tool: object, *spellings: str) -> object:
    """The member of *tool* by the first of its *spellings* that is there, else None."""
    if isinstance(tool, Mapping):
        return next((tool[spelling] for spelling in spellings if tool.get(spelling) is not None), None)
    # No further spelling is tried: FastMCP warns of those that the SDK has given up.
    known = next((spelling for spelling in spellings if hasattr(tool, spelling)), None)
    return None if known is None else getattr(tool, known)
