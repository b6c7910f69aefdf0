"""Where an argument is inside a call's arguments: JSON Pointers (RFC 6901) that lead through objects only."""

import re
import unicodedata

Steps = tuple[str, ...]

MOST_CHARACTERS = 200
MOST_STEPS = 10


def read(text: str) -> Steps:
    """The member names along *text*: ``/filter/owner`` is ``("filter", "owner")``.

    Raises `ValueError` for what is no pointer, and for the pointer to the whole.
    """
    if not text.startswith("/") or len(text) > MOST_CHARACTERS or not text.isprintable():
        raise ValueError(f"an argument is named by a JSON Pointer of at most {MOST_CHARACTERS} characters: /path")
    if re.search("~(?![01])", text):
        raise ValueError("in a JSON Pointer ~0 stands for a tilde and ~1 for a slash")
    steps = tuple(step.replace("~1", "/").replace("~0", "~") for step in text[1:].split("/"))
    if len(steps) > MOST_STEPS:
        raise ValueError(f"a JSON Pointer has at most {MOST_STEPS} steps")
    return steps


def write(steps: Steps) -> str:
    """The text of a pointer."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def folded(name: str) -> str:
    """What a reader who is lax about names may make of *name*, without case and marks: ``File_Path`` → ``filepath``.

    Two arguments that fold to the same are too alike to limit one and leave the other free.
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(character for character in plain if character.isalnum())
