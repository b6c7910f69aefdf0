"""What a list of the console is narrowed by: the fields of its form, as the address has them."""

from collections.abc import Iterable

from flask import request

from ..deployment import deployment

MOST_CHARACTERS = 2048
NOBODY = ""


def chosen(names: Iterable[str]) -> dict[str, str | None]:
    """What was given for each of *names*; None for what was not, or is nothing that a form of ours sends."""
    given = {name: request.args.get(name, "").strip() for name in names}
    return {name: text if _is_plain(text) else None for name, text in given.items()}


def user_id(username: str | None) -> str | None:
    """The id of the person called *username*; for one that there is not an id that nobody has."""
    if username is None:
        return None
    found = deployment().stores.users.by_name(username)
    return found.id if found else NOBODY


def _is_plain(text: str) -> bool:
    return text.isprintable() and 0 < len(text) <= MOST_CHARACTERS
