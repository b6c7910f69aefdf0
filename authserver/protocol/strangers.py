"""What strangers wrote, made fit to be read by people: on a page, in a mail."""

import unicodedata

LONGEST_NAME = 60


def plain(text: str, longest: int = LONGEST_NAME) -> str:
    """*text* of a stranger on one line, without invisible and direction-changing characters, at most *longest* long."""
    is_simple = text.isascii() and text.isprintable()
    visible = text if is_simple else "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    words = " ".join(visible.split())
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"
