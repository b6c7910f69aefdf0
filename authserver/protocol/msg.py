"""Texts of pages that stand in code are marked where they stand, so that catalogues of translations have them."""

from collections.abc import Callable, Sequence
from typing import Literal, get_args

Language = Literal["en", "de"]
LANGUAGES: tuple[str, ...] = get_args(Language)
"""The languages of pages and mail (BCP 47): the one of the sources, then those that have a catalogue."""

OWN_NAMES = {"en": "English", "de": "Deutsch"}
"""What each calls itself."""


def msg(text: str) -> str:
    """*text* as it is: a page puts it into its reader's language when it is shown (`web.languages.translated`)."""
    return text


class Filled(str):
    """A text with values in its places, in English; a page fills them into the text of its reader's language.

    Values that are `Filled` are put into that language too; all others stay as they are: names, numbers.
    """

    __slots__ = ("named", "text", "values")

    text: str
    values: tuple[object, ...]
    named: dict[str, object]

    def __new__(cls, text: str, *values: object, **named: object) -> "Filled":
        """*text* is one that `msg` marks; its places are those of `str.format`."""
        made = super().__new__(cls, text.format(*values, **named))
        made.text, made.values, made.named = text, values, named
        return made

    def __str__(self) -> str:
        """Itself, so that an error that carries it gives it on."""
        return self

    def put(self, into: Callable[[str], str]) -> str:
        """The text in the language into which *into* puts texts, with the values in it."""
        values = [_put(value, into) for value in self.values]
        return into(self.text).format(*values, **{name: _put(value, into) for name, value in self.named.items()})


def listed(joint: str, parts: Sequence[str]) -> str:
    """*parts* as one text, each joined to what is before it by *joint*, a marked text such as ``{} or {}``."""
    whole = parts[0] if parts else ""
    for part in parts[1:]:
        whole = Filled(joint, whole, part)
    return whole


def _put(value: object, into: Callable[[str], str]) -> object:
    return value.put(into) if isinstance(value, Filled) else value
