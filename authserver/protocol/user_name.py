"""What a person can be called here: nothing hidden, and no letters that pass for others."""

from .msg import Filled, msg
from .registry.look_alike import has_hidden, has_strange_letters

MOST_CHARACTERS = 200
TOO_LONG = msg("a user name has 1 to {} printable characters")
PASSES = msg("this user name mixes alphabets or hides characters, so that it could pass for another")


class UserNameRefused(ValueError):
    """Nobody can be called so; the text says why, for the person who chose it."""


def check(name: str) -> str:
    """*name* without space around it. Raises `UserNameRefused`."""
    name = name.strip()
    if not name or not name.isprintable() or len(name) > MOST_CHARACTERS:
        raise UserNameRefused(Filled(TOO_LONG, MOST_CHARACTERS))
    if has_hidden(name) or has_strange_letters(name):
        raise UserNameRefused(Filled(PASSES))
    return name
