"""What strangers sent, made fit to be kept in a trace: short, on one line, and without what may be a secret."""

import re
import unicodedata

from ..credential import Prefix
from ..errors import OAuthError

LONGEST = 200
MOST_READ = 8192
OURS = f"(?:{'|'.join(Prefix)})"
# The query of a URL may hold anything, its parameters a session, its user information a password. A client that takes
# its secret for its id tells us the one as the other.
TELLTALE = re.compile(rf"(?<=//)[^/?#]*@|;[\w.-]+=[^\s/]*|[?#]\S*|{OURS}[\w-]*", re.ASCII)
PLAIN = re.compile(rf"(?!.*{OURS})[\w.:,/()=+*-]*(?: [\w.:,/()=+*-]+)*", re.ASCII)  # nearly all that is kept


def harmless(text: str, longest: int = LONGEST) -> str:
    """*text* without queries of URLs, secrets of ours, and characters that a page, a terminal or a table would obey."""
    if PLAIN.fullmatch(text):
        return text[:longest].rstrip()
    cut = TELLTALE.sub("", text[:MOST_READ])
    visible = "".join(" " if unicodedata.category(character)[0] in "CZ" else character for character in cut)
    return " ".join(visible.split())[:longest].rstrip()


def said(error: OAuthError) -> str:
    """What the client was told of *error*."""
    return harmless(f"{error.error}: {error.description}" if error.description else str(error.error))
