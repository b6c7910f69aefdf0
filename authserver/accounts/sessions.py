"""Sessions of browsers that have signed in: opened, found and ended by a secret of which only the digest is kept."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..protocol import credential
from ..protocol.amr import Method
from ..protocol.audit import Event, Origin
from ..protocol.credential import Prefix
from ..store.sessions import Session, SessionStore
from ..store.users import User


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions of one deployment. ``lifetime`` is the absolute one, in seconds; the store ends those without use."""

    store: SessionStore
    lifetime: int

    def open(
        self,
        user: User,
        origin: Origin,
        agent: str = "",
        methods: Iterable[Method] = (Method.PASSWORD,),
        auth_age: int = 0,
    ) -> str:
        """Begin a session of *user*, who proved who they are by *methods* *auth_age* seconds ago.

        Returns its secret, 256 random bits (TK-6). *agent* is what their browser says that it is.
        """
        methods = tuple(methods)
        secret = credential.mint(Prefix.SESSION)
        event = Event("session.opened", f"user:{user.id}", origin, user_id=user.id, detail={"methods": methods})
        self.store.open(
            credential.digest(secret),
            user.id,
            self.lifetime,
            origin.address,
            event,
            agent=agent,
            methods=methods,
            auth_age=auth_age,
        )
        return secret

    def find(self, secret: str) -> Session | None:
        """The live session of *secret*; None once it is ended, expired, idle for too long, or its person disabled."""
        return self.store.find(credential.digest(secret))

    def confirm(self, session: Session, origin: Origin, methods: Iterable[Method] = (Method.PASSWORD,)) -> None:
        """Write down that the person of *session* has just proved again, by *methods*, who they are."""
        event = Event("session.confirmed", f"user:{session.user.id}", origin, user_id=session.user.id)
        self.store.confirm(session.digest, event, methods)

    def end(self, secret: str, origin: Origin) -> None:
        """End the session of *secret* at once, for every browser that holds it. Ending an ended one does nothing."""
        session = self.find(secret)
        if session is not None:
            event = Event("session.ended", f"user:{session.user.id}", origin, user_id=session.user.id)
            self.store.end(credential.digest(secret), event)
