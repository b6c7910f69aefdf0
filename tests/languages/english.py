"""English on a page that is to be in another language: marked texts that were not put into it where they are shown."""

import html
import re

from tools.translations import forms, languages, read

SHORT = 12  # characters of a text that may stand in another by chance
UNREAD = re.compile(r"<(code|script|style)\b.*?</\1>|<!--.*?-->", re.DOTALL)
READ_ATTRIBUTE = re.compile(r'\b(?:aria-label|placeholder|alt|data-label)="([^"]*)"')
TAG = re.compile(r"<[^>]*>")
PLACE = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
SPACE = re.compile(r"\s+")


def english(page: str) -> list[str]:
    """The texts of ours that *page* shows in English, although the German of them is another."""
    seen = UNREAD.sub(" ", page)
    shown = _plain("\n".join([TAG.sub("\x00", seen), *READ_ATTRIBUTE.findall(seen)]))
    return [piece for piece in PIECES if piece in shown]


def _plain(text: str) -> str:
    return SPACE.sub(" ", html.unescape(text).replace("\x00", " "))


def _pieces() -> set[str]:
    """What is told of each text that differs in German: the whole, or what stands between its values and tags."""
    german, found = read(next(languages())), set()
    for text in german:
        for said, other in zip(forms(text.id), forms(text.string), strict=False):
            differ = {_plain(piece).strip() for piece in PLACE.split(TAG.sub("\x00", said))}
            same = _plain(TAG.sub(" ", other))
            found |= {piece for piece in differ if len(piece) > SHORT and piece not in same}
    return found


PIECES = sorted(_pieces())
