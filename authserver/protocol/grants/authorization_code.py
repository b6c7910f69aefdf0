"""The authorization code grant (OAuth 2.1 §4.1.3, AZ-7)."""

from dataclasses import dataclass

from .. import credential, pkce
from ..authorization_code import Miss, Redemption, judge
from ..client import GrantType
from ..errors import InvalidGrant, InvalidTarget, OAuthError
from ..ports import Codes, RefreshTokens
from ..trace.step import Cause
from . import Outcome, TokenRequest

REFUSED = "the authorization code is unknown, expired, already used, or was issued for another request"


@dataclass(frozen=True, slots=True)
class AuthorizationCodeGrant:
    """Redeems codes. Lifetimes are in seconds: of a refresh token unused, and of its family in all."""

    codes: Codes
    families: RefreshTokens
    refresh_lifetime: int
    family_lifetime: int
    grant_type: str = GrantType.AUTHORIZATION_CODE

    def meant(self, request: TokenRequest) -> str | None:
        """The one that the presented code is for."""
        state = self.codes.state(credential.digest(request.form.need("code")))
        return state.resource if state else None

    def act(self, request: TokenRequest) -> Outcome:
        """Redeem the code of *request* for an authority and, if it was granted, a refresh token."""
        family_id = credential.identifier()
        refresh_token = f"{credential.mint(credential.Prefix.REFRESH)}.{family_id}"
        attempt = self._attempt(request, family_id, refresh_token)
        redeemed = self.codes.redeem(attempt, request.event.about(name="code.redeemed"))
        if redeemed is None:
            raise self._refusal(attempt, request)
        return Outcome(redeemed.authority, refresh_token if redeemed.with_refresh else None)

    def _attempt(self, request: TokenRequest, family_id: str, refresh_token: str) -> Redemption:
        return Redemption(
            digest=credential.digest(request.form.need("code")),
            client_id=request.client.client_id,
            redirect_uri=request.form.get("redirect_uri"),
            challenge=pkce.challenge_of(request.form.get("code_verifier")),
            resource=request.resource,
            family_id=family_id,
            refresh_digest=credential.digest(refresh_token),
            refresh_lifetime=self.refresh_lifetime,
            family_lifetime=self.family_lifetime,
        )

    def _refusal(self, attempt: Redemption, request: TokenRequest) -> OAuthError:
        state = self.codes.state(attempt.digest)
        miss = judge(state, attempt)
        if miss is Miss.WRONG_RESOURCE:
            return InvalidTarget("the code was issued for another resource", cause=Cause.RESOURCE_MISMATCH)
        if miss is Miss.REPLAYED and state and state.family_id:
            event = request.event.about(name="code.replayed", outcome="refused")
            self.families.revoke_family(state.family_id, event)
        return InvalidGrant(REFUSED, private=f"code {miss.name}")
