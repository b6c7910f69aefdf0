"""The catalogues of translations (gettext), for what is written to people where there is no page: mail."""

from functools import lru_cache
from gettext import NullTranslations, translation
from pathlib import Path

from ..protocol.msg import LANGUAGES, Filled

CATALOGUES = Path(__file__).parent.parent / "translations"


def put(text: str, language: str | None) -> str:
    """*text*, one that `msg` marks or `Filled`, in that of `LANGUAGES`; English for None and where there is no other.

    What is no such text, a link for instance, stays as it is.
    """
    into = _catalogue(language if language in LANGUAGES else LANGUAGES[0]).gettext
    if isinstance(text, Filled):
        return text.put(into)
    return into(text) if text else text


@lru_cache(maxsize=8)
def _catalogue(language: str) -> NullTranslations:
    return translation("messages", CATALOGUES, [language], fallback=language == LANGUAGES[0])
