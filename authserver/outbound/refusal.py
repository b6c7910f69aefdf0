"""Why a fetch was refused: one error, one short word for the log, one sentence for strangers."""

from enum import StrEnum


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
NOWHERE = "the host name does not lead to an address that may be fetched from"

SENTENCES = {
    Refusal.ADDRESS: NOWHERE,
    Refusal.BUSY: "too many documents are being fetched at the moment; try again in a few seconds",
    Refusal.CONNECTION: "the host could not be reached, or did not answer in HTTP",
    Refusal.ENCODING: "the document is compressed; it must be served without Content-Encoding",
    Refusal.REDIRECT: "the URL redirects; it must answer with the document itself",
    Refusal.RESOLUTION: NOWHERE,
    Refusal.SCHEME: "the URL must begin with https://",
    Refusal.SIZE: "the answer is too large",
    Refusal.STATUS: "the URL did not answer with status 200",
    Refusal.TIMEOUT: "the document did not arrive in time",
    Refusal.TLS: "the host could not prove its name by a certificate that is trusted here",
    Refusal.TOO_MUCH: "what was sent is more than it takes at once",
    Refusal.TYPE: "the document has another content type than the one expected",
    Refusal.URL: "the URL may not be fetched",
}


class FetchRefused(Exception):
    """A URL was not fetched.

    ``reason`` is a word for logs and metrics. ``str()`` is a sentence fit for a stranger: it says what was refused,
    and nothing of what answered or of what a name resolved to.
    """

    def __init__(self, reason: Refusal, sentence: str = "") -> None:
        super().__init__(sentence or SENTENCES[reason])
        self.reason = reason
