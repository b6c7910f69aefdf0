"""What the lists share: the words searched for, the place to go on from, and the link to the next page."""

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import request
from werkzeug.exceptions import NotFound

from ..protocol.audit import Event
from .origin import origin
from .signed_in import visitor

LINES = 50
LONGEST_QUERY = 200
PLACE = re.compile(r"[0-9]{1,18}\.[!-~]{0,2048}")


@dataclass(frozen=True, slots=True)
class Search:
    """A list's request: ``query`` may be empty, ``after`` is a place that an earlier page gave, or None."""

    query: str
    after: str | None

    @classmethod
    def asked(cls) -> "Search":
        """That of the running request; what no page of ours could have asked for counts as left out."""
        query = "".join(filter(str.isprintable, request.args.get("q", "")))[:LONGEST_QUERY].strip()
        after = request.args.get("after", "")
        return cls(query, after if PLACE.fullmatch(after) else None)

    def further(self, after: str | None, **kept: str | None) -> str | None:
        """The address of the page after *after*, if there is one; *kept* are the list's other parameters."""
        if after is None:
            return None
        wanted = {"q": self.query or None, "after": after, **kept}
        return (
            f"{request.script_root}{request.path}?{urlencode({name: value for name, value in wanted.items() if value})}"
        )


def wanted_id(name: str = "id") -> str:
    """The id that the page is about. Raises `NotFound` for what no id looks like."""
    found = request.args.get(name, "")
    if not found.isascii() or not found.isprintable() or not 0 < len(found) <= 2048:
        raise NotFound
    return found


def event(name: str) -> Event:
    """What the person of the running request does, for the audit trail."""
    person = visitor()
    return Event(name, f"user:{person.user.id}" if person else "system", origin())
