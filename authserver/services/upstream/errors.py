"""Why nobody was signed in by an upstream. The texts are for the log; pages have words of their own.

::

    UpstreamError
    ├── Down           the provider does not answer, or not as one
    ├── NotBegun       no such attempt: replayed, expired, forged, or of another browser
    ├── Declined       the provider says that it did not sign anybody in
    ├── NotBelieved    what came in its name is not to be believed
    ├── Unmet          a required claim is not there
    └── Another        it is somebody else than who was to prove anew who they are
"""


class UpstreamError(Exception):
    """Nobody was signed in."""


class Down(UpstreamError):
    """The provider cannot be reached, or does not answer as providers do."""


class NotBegun(UpstreamError):
    """The answer belongs to no attempt that this browser has begun and not ended."""


class Declined(UpstreamError):
    """The provider answered with an error; its word is in the text."""


class NotBelieved(UpstreamError):
    """A mix-up, a wrong signature, another audience: the answer is not what an honest provider sends."""


class Unmet(UpstreamError):
    """The operator lets in nobody without a claim that is not there."""


class Another(UpstreamError):
    """The person at the provider is not the one who is signed in here."""
