"""What administrators do to others' accounts, who are told by mail: it may be somebody who only seems to be one."""

from dataclasses import dataclass

from ..protocol.audit import Event
from ..store.factors import FactorStore
from ..store.sessions import SessionStore
from ..store.user import User
from .letters import FACTORS_TAKEN, SESSIONS_ENDED, Letters


@dataclass(frozen=True, slots=True)
class Interventions:
    """Acts on accounts of one deployment."""

    sessions: SessionStore
    factors: FactorStore
    letters: Letters

    def end_sessions(self, user: User, event: Event) -> int:
        """Sign *user* out everywhere; returns how many sessions ended. Grants stay, but for those until sign-out."""
        return self.sessions.end_all(user.id, event, self.letters.by_administrator(user, SESSIONS_ENDED))

    def remove_factors(self, user: User, event: Event) -> int:
        """Take all second factors from *user*, who has lost them, and the recovery codes; returns how many factors."""
        return self.factors.remove_all(user.id, event, self.letters.by_administrator(user, FACTORS_TAKEN))
