"""Why a sign-in did not happen.

::

    SignInError
    ├── WrongCredentials      no such person, wrong password, or disabled: never told apart
    ├── WrongFactor           a code or a passkey that does not prove the person, or did so before
    ├── IdentityRefused       who somebody is elsewhere is proven, and opens no account here
    │   ├── NoAccount         nobody's, and none is made
    │   ├── AccountExists     somebody has an account with that address, and it is not linked
    │   ├── AccountDisabled   an administrator has disabled it
    │   └── AnothersIdentity  it opens the account of somebody else
    └── TryLater              ``retry_after`` says when, in seconds
        ├── TooManyAttempts   too many failures for this name, or attempts from this address
        └── Busy              all slots for hashing passwords are taken
"""


class SignInError(Exception):
    """A sign-in that did not happen."""


class WrongCredentials(SignInError):
    """Name and password do not belong together. What exactly is wrong is told to nobody (AZ-12)."""


class WrongFactor(SignInError):
    """A code or a passkey that proves nobody, or was used before. What exactly is wrong is for the log alone."""


class IdentityRefused(SignInError):
    """An identity that opens no account. It is proven, so its person is told why."""


class NoAccount(IdentityRefused):
    """It is not linked to an account, and its provider makes none."""


class AccountExists(IdentityRefused):
    """An account with its address is there that it is not linked to: its person signs in to it, and links it."""


class AccountDisabled(IdentityRefused):
    """Its account is disabled."""


class AnothersIdentity(IdentityRefused):
    """It opens the account of somebody else than who is signed in."""


class TryLater(SignInError):
    """The attempt was not judged at all; ``retry_after`` is in seconds, at least 1."""

    def __init__(self, retry_after: float) -> None:
        super().__init__()
        self.retry_after = max(1, round(retry_after))


class TooManyAttempts(TryLater):
    """Attempts are delayed for this name or from this address."""


class Busy(TryLater):
    """No slot for hashing became free in time."""
