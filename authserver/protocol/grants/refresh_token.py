"""The refresh token grant (OAuth 2.1 §4.3, TK-3, TK-4, TK-5)."""

from dataclasses import dataclass
from typing import Protocol

from .. import credential
from ..client import GrantType
from ..errors import InvalidGrant, InvalidScope, InvalidTarget
from ..ports import RefreshTokens
from ..refresh_token import Miss, Rotation, TokenState, judge
from ..trace.step import Cause
from . import Outcome, TokenRequest

REFUSED = "the refresh token is unknown, expired, revoked or already used; start a new authorization"


class Envelope(Protocol):
    """Encrypts a successor so that only the holder of the presented token can read it (TK-4)."""

    def seal(self, successor: str, *, presented: str, family_id: str) -> bytes:
        """The successor under a key derived from *presented*, bound to the family and to the successor's digest."""

    def open(self, sealed: bytes, *, presented: str, family_id: str, successor_digest: bytes) -> str:
        """The successor again."""


@dataclass(frozen=True, slots=True)
class RefreshTokenGrant:
    """Rotates refresh tokens. ``lifetime`` (of an unused token) and ``window`` (lost answers) are in seconds."""

    tokens: RefreshTokens
    envelope: Envelope
    lifetime: int
    window: int
    grant_type: str = GrantType.REFRESH_TOKEN

    def meant(self, request: TokenRequest) -> str | None:
        """The one that the presented token is for."""
        state = self.tokens.state(credential.digest(request.form.need("refresh_token")))
        return state.authority.resource if state else None

    def act(self, request: TokenRequest) -> Outcome:
        """Rotate the presented token; after a lost answer, give its successor once more."""
        presented = request.form.need("refresh_token")
        attempt, successor = self._attempt(presented, request)
        if request.scopes:
            self._refuse_foreign_scopes(attempt, request)
        authority = self.tokens.rotate(attempt, request.event.about(name="token.refreshed"))
        if authority is not None:
            return Outcome(authority, successor)
        return self._missed(attempt, successor, presented, request)

    def _attempt(self, presented: str, request: TokenRequest) -> tuple[Rotation, str]:
        family_id = presented.rpartition(".")[2]
        successor = f"{credential.mint(credential.Prefix.REFRESH)}.{family_id}"
        attempt = Rotation(
            digest=credential.digest(presented),
            client_id=request.client.client_id,
            resource=request.resource,
            successor_digest=credential.digest(successor),
            sealed_successor=self.envelope.seal(successor, presented=presented, family_id=family_id),
            lifetime=self.lifetime,
        )
        return attempt, successor

    def _refuse_foreign_scopes(self, attempt: Rotation, request: TokenRequest) -> None:
        """Refuse before rotating when nothing asked for was granted: a bad request must not cost the token."""
        state = self.tokens.state(attempt.digest)
        if state and state.client_id == attempt.client_id and not set(request.scopes) & set(state.authority.scopes):
            raise InvalidScope("none of these scopes was granted; a refresh can only narrow")

    def _missed(self, attempt: Rotation, successor: str, presented: str, request: TokenRequest) -> Outcome:
        state = self.tokens.state(attempt.digest)
        miss = judge(state, attempt, window=self.window)
        if miss is Miss.DONE and state:
            return Outcome(state.authority, successor)
        if miss is Miss.LOST_ANSWER and state:
            return self._again(state, presented)
        if miss is Miss.WRONG_RESOURCE:
            raise InvalidTarget("the refresh token was issued for another resource", cause=Cause.RESOURCE_MISMATCH)
        if miss is Miss.REUSED and state:
            event = request.event.about(name="token.reused", outcome="refused", grant_id=state.authority.grant_id)
            self.tokens.revoke_family(state.authority.family_id, event)
        raise InvalidGrant(REFUSED, private=f"refresh token {miss.name}")

    def _again(self, state: TokenState, presented: str) -> Outcome:
        if state.sealed_successor is None or state.successor_digest is None:
            raise InvalidGrant(REFUSED, private="successor erased")
        successor = self.envelope.open(
            state.sealed_successor,
            presented=presented,
            family_id=state.authority.family_id,
            successor_digest=state.successor_digest,
        )
        return Outcome(state.authority, successor)
