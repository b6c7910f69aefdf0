"""Where a person is signed in: their sessions, and the browsers that stay signed in and have none just now."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..protocol.audit import Event
from ..store.remembered import RememberedListing, RememberedStore
from ..store.sessions import SessionListing, SessionStore


@dataclass(frozen=True, slots=True)
class Places:
    """The places of people of one deployment."""

    sessions: SessionStore
    remembered: RememberedStore

    def resting(self, user_id: str, sessions: Iterable[SessionListing], limit: int) -> list[RememberedListing]:
        """The browsers with which a person stays signed in, and that have none of their *sessions* now."""
        with_one = {line.remembered for line in sessions}
        return [line for line in self.remembered.of_user(user_id, limit) if line.digest not in with_one]

    def end(self, user_id: str, place_id: str, limit: int, event: Event) -> bool:
        """End a session of a person, or let a browser of theirs stay no longer; False if they have no such place.

        Of a browser the event is ``browser.forgotten``.
        """
        for session in self.sessions.of_user(user_id, limit):
            if session.id == place_id:
                return self.sessions.end(session.digest, event.about(name="session.ended", user_id=user_id))
        for browser in self.remembered.of_user(user_id, limit):
            if browser.id == place_id:
                return self.remembered.forget(browser.digest, event.about(name="browser.forgotten"))
        return False
