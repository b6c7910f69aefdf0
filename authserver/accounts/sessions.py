"""Sessions of browsers that have signed in: opened, found and ended by a secret of which only the digest is kept."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..protocol import credential
from ..protocol.amr import Method
from ..protocol.audit import Event, Origin
from ..protocol.credential import Prefix
from ..store.sessions import Session, SessionStore, Staying
from ..store.standing import Place
from ..store.user import User
from .errors import WrongCredentials


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
        staying: Staying | None = None,
        device: str | None = None,
    ) -> str:
        """Begin a session of *user*, who proved who they are by *methods* *auth_age* seconds ago.

        Returns its secret, 256 random bits (TK-6). *agent* is what their browser says that it is, *staying* the browser
        if it is to stay signed in, *device* the secret of its device cookie. Raises `WrongCredentials` if they did so
        by a password that is theirs no more.
        """
        methods = tuple(methods)
        secret = credential.mint(Prefix.SESSION)
        detail = {"methods": methods, **({"stays": staying.lifetime} if staying else {})}
        event = Event("session.opened", f"user:{user.id}", origin, user_id=user.id, detail=detail)
        opened = self.store.open(
            credential.digest(secret),
            user.id,
            self.lifetime,
            origin.address,
            event,
            agent=agent,
            methods=methods,
            auth_age=auth_age,
            staying=staying,
            device_digest=credential.digest(device) if device else None,
            seen=user.password_hash if Method.PASSWORD in methods else None,
        )
        if not opened:
            raise WrongCredentials
        return secret

    def reopen(self, session: Session, user: User, origin: Origin, agent: str = "") -> str | None:
        """Begin a session in place of *session* of *user*, which has ended: nobody proves anything by it.

        Returns its secret; None if they have another password by now.
        """
        secret = credential.mint(Prefix.SESSION)
        event = Event("session.opened", f"user:{user.id}", origin, user_id=user.id, detail={"methods": session.methods})
        left = max(0, session.expires_at - session.auth_time - session.auth_age)
        opened = self.store.open(
            credential.digest(secret),
            user.id,
            left,
            origin.address,
            event,
            agent=agent,
            methods=session.methods,
            auth_age=session.auth_age,
            recalled=session.recalled,
            seen=user.password_hash,
        )
        return secret if opened else None

    def find(self, secret: str, place: Place | None = None) -> Session | None:
        """The live session of *secret*; None once it is ended, expired, idle for too long, or its person disabled.

        With *place* it says how they stand there.
        """
        return self.store.find(credential.digest(secret), place)

    def confirm(
        self, session: Session, origin: Origin, methods: Iterable[Method] = (Method.PASSWORD,), auth_age: int = 0
    ) -> str | None:
        """The person of *session* has proved again, by *methods*, *auth_age* seconds ago, who they are.

        Returns the secret that it has from now on: the one until now opens nothing. None if it had ended.
        """
        return self._renewed(session, "session.confirmed", origin, methods, auth_age)

    def renew(self, session: Session, origin: Origin) -> str | None:
        """Give *session*, whose person has another role than when it began, another secret, as `confirm` does."""
        return self._renewed(session, "session.renewed", origin, None)

    def end(self, secret: str, origin: Origin) -> None:
        """End the session of *secret* at once, for every browser that holds it. Ending an ended one does nothing."""
        session = self.find(secret)
        if session is not None:
            event = Event("session.ended", f"user:{session.user.id}", origin, user_id=session.user.id)
            self.store.end(credential.digest(secret), event)

    def end_others(self, session: Session, event: Event) -> str | None:
        """End all other sessions of the person of *session*.

        Returns the secret that it has from now on: the one until now opens nothing. None if it had ended.
        """
        secret = credential.mint(Prefix.SESSION)
        digests = (session.digest, credential.digest(secret))
        return secret if self.store.end_others(session.user.id, *digests, event) else None

    def _renewed(
        self, session: Session, name: str, origin: Origin, methods: Iterable[Method] | None, auth_age: int = 0
    ) -> str | None:
        secret = credential.mint(Prefix.SESSION)
        event = Event(name, f"user:{session.user.id}", origin, user_id=session.user.id)
        renewed = self.store.renew(session.digest, credential.digest(secret), event, methods, auth_age)
        return secret if renewed else None
