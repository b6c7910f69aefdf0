"""Half a sign-in: the password was right, and the second factor is owed, within ten minutes."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..protocol import credential
from ..protocol.amr import BY_PASSWORD, Method
from ..protocol.audit import Event, Origin
from ..protocol.credential import Prefix
from ..store.half_sign_ins import HalfSignIn, HalfSignInStore
from ..store.user import User
from .errors import WrongCredentials

LIFETIME = 600  # seconds


@dataclass(frozen=True, slots=True)
class HalfSignIns:
    """Sign-ins that wait. The browser holds a secret, the server the digest: nothing else tells that half is done."""

    store: HalfSignInStore

    def begin(self, user: User, origin: Origin, methods: Iterable[Method] = BY_PASSWORD, auth_age: int = 0) -> str:
        """*user* proved by *methods*, *auth_age* seconds ago, who they are: the secret for the rest.

        Raises `WrongCredentials` if they did so by a password that is theirs no more.
        """
        secret = credential.mint(Prefix.HALF_SIGN_IN)
        event = Event("sign_in.half_done", f"user:{user.id}", origin, user_id=user.id)
        half = HalfSignIn(credential.digest(secret), user, tuple(methods), auth_age)
        seen = user.password_hash if Method.PASSWORD in half.methods else None
        if not self.store.begin(half, LIFETIME, event, seen):
            raise WrongCredentials
        return secret

    def find(self, secret: str) -> HalfSignIn | None:
        """What waits behind *secret*; None once it is done, expired, or its person disabled."""
        return self.store.find(credential.digest(secret))
