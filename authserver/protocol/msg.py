"""Texts of pages that stand in code are marked where they stand, so that catalogues of translations have them."""

LANGUAGES = ("en", "de")
"""The languages of pages (BCP 47): the one of the sources, then those that have a catalogue."""


def msg(text: str) -> str:
    """*text* as it is: a page puts it into its reader's language when it is shown (`web.languages.translated`)."""
    return text
