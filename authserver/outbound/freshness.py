"""For how long a fetched document counts, by what its headers say (RFC 9111 §4.2).

This server is a private cache (§1): ``s-maxage`` and ``private`` mean nothing to it. What cannot be read counts as
stale (§4.2.1), and every answer is kept within the bounds of the caller.
"""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

MOST_DIGITS = 10


def lifetime(headers: Mapping[str, str], *, least: int, most: int, default: int) -> int:
    """Seconds from now for which an answer with *headers* (lower-case names) is fresh, from *least* to *most*.

    *default* is for an answer that says nothing. ``no-store`` and ``no-cache`` mean *least*.
    """
    stated = _stated(headers)
    seconds = default if stated is None else stated - _age(headers)
    return min(max(seconds, least), most)


def _stated(headers: Mapping[str, str]) -> int | None:
    directives = dict(reversed(list(_directives(headers.get("cache-control", "")))))
    if "no-store" in directives or "no-cache" in directives:
        return 0
    if "max-age" in directives:
        return _seconds(directives["max-age"])
    if "expires" in headers:
        return _until(headers["expires"], headers.get("date", ""))
    return None


def _directives(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(","):
        name, _, value = part.partition("=")
        yield name.strip().lower(), value.strip().strip('"')


def _seconds(text: str) -> int:
    """RFC 9111 §1.2.2; what is not a number is 0."""
    if not (text.isascii() and text.isdigit()):
        return 0
    return int(text[:MOST_DIGITS]) if len(text) > MOST_DIGITS else int(text)


def _age(headers: Mapping[str, str]) -> int:
    return _seconds(headers.get("age", "").partition(",")[0].strip())


def _until(expires: str, date: str) -> int:
    """RFC 9111 §5.3: an ``Expires`` that is no date lies in the past."""
    ends = _instant(expires)
    if ends is None:
        return 0
    return int(ends - (_instant(date) or time.time()))


def _instant(text: str) -> float | None:
    try:
        found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
