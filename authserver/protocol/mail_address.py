"""Mail addresses, in the form in which they are kept and compared (RFC 5321 §4.1.2, without quoted local parts).

None has an encoded word in it (RFC 2047 §2): in a header that would be read as something else.
"""

import re

from .msg import Filled, msg

MOST_CHARACTERS = 254
NONE = msg("{!a} is no mail address such as admin@example.com")
TOO_LONG = msg("a mail address has at most {} characters")
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
FORM = re.compile(rf"(?!.*=\?)[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{LABEL}(?:\.{LABEL})*")


class NoMailAddress(ValueError):
    """A text that is no mail address."""


def check(text: str) -> str:
    """*text* as it stands. Raises `NoMailAddress`."""
    if not FORM.fullmatch(text):
        raise NoMailAddress(Filled(NONE, text))
    return text


def kept(text: str) -> str:
    """The address that *text* is, as it is kept: whoever types it with other capitals means the same mailbox.

    Raises `NoMailAddress`.
    """
    text = text.strip()
    if len(text) > MOST_CHARACTERS:
        raise NoMailAddress(Filled(TOO_LONG, MOST_CHARACTERS))
    return check(text).casefold()
