"""What a person can be called here: nothing hidden, and no letters that pass for others."""

from .registry.look_alike import has_hidden, has_strange_letters

MOST_CHARACTERS = 200


class UserNameRefused(ValueError):
    """Nobody can be called so; the text says why, for the person who chose it."""


def check(name: str) -> str:
    """*name* without space around it. Raises `UserNameRefused`."""
    name = name.strip()
    if not name or not name.isprintable() or len(name) > MOST_CHARACTERS:
        raise UserNameRefused(f"a user name has 1 to {MOST_CHARACTERS} printable characters")
    if has_hidden(name) or has_strange_letters(name):
        raise UserNameRefused("this user name mixes alphabets or hides characters, so that it could pass for another")
    return name
