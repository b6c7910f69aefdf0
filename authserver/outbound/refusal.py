"""Why a fetch was refused: one error, one short word for the log, one sentence for strangers."""

from enum import StrEnum

from ..protocol.msg import msg


class Refusal(StrEnum):
    """What was refused, in a word."""

    ADDRESS = "address"
    BUSY = "busy"
    CONNECTION = "connection"
    ENCODING = "encoding"
    REDIRECT = "redirect"
    RESOLUTION = "resolution"
    SCHEME = "scheme"
    SIZE = "size"
    STATUS = "status"
    TIMEOUT = "timeout"
    TLS = "tls"
    TOO_MUCH = "too much"
    TYPE = "type"
    URL = "url"


# One sentence for both: a name that only the network inside knows is not to be told from one that nobody knows.
NOWHERE = msg("the host name does not lead to an address that may be fetched from")

SENTENCES = {
    Refusal.ADDRESS: NOWHERE,
    Refusal.BUSY: msg("too many documents are being fetched at the moment; try again in a few seconds"),
    Refusal.CONNECTION: msg("the host could not be reached, or did not answer in HTTP"),
    Refusal.ENCODING: msg("the document is compressed; it must be served without Content-Encoding"),
    Refusal.REDIRECT: msg("the URL redirects; it must answer with the document itself"),
    Refusal.RESOLUTION: NOWHERE,
    Refusal.SCHEME: msg("the URL must begin with https://"),
    Refusal.SIZE: msg("the answer is too large"),
    Refusal.STATUS: msg("the URL did not answer with status 200"),
    Refusal.TIMEOUT: msg("the document did not arrive in time"),
    Refusal.TLS: msg("the host could not prove its name by a certificate that is trusted here"),
    Refusal.TOO_MUCH: msg("what was sent is more than it takes at once"),
    Refusal.TYPE: msg("the document has another content type than the one expected"),
    Refusal.URL: msg("the URL may not be fetched"),
}


class FetchRefused(Exception):
    """A URL was not fetched.

    ``reason`` is a word for logs and metrics. ``str()`` is a sentence fit for a stranger: it says what was refused,
    and nothing of what answered or of what a name resolved to.
    """

    def __init__(self, reason: Refusal, sentence: str = "") -> None:
        super().__init__(sentence or SENTENCES[reason])
        self.reason = reason
