"""What the token endpoint tells of an attempt: the code that was exchanged, and why one, or a refresh, was refused.

A code belongs to the attempt by its challenge, which the verifier of a right exchange answers; so a success costs no
look-up. A refusal costs one, for the state of what was presented.
"""

from dataclasses import dataclass, replace

from ...protocol import credential
from ...protocol.access_token import Authority, ClientAuthority
from ...protocol.audit import Origin
from ...protocol.client import GrantType
from ...protocol.client_authentication import presented
from ...protocol.errors import InvalidGrant, OAuthError
from ...protocol.form import Form
from ...protocol.ports import Codes, RefreshTokens, Resources
from ...protocol.trace import diagnosis, harmless
from ...protocol.trace.record import Record
from ...protocol.trace.reference import References
from ...protocol.trace.step import Cause, Step
from .. import registered
from .recorder import Recorder
from .tracing import loose


@dataclass(frozen=True, slots=True)
class Presentation:
    """A refused token request: who it says it is (nobody proved it), and for which resource it asks."""

    form: Form
    client_id: str
    resource: str | None
    error: OAuthError
    origin: Origin


@dataclass(frozen=True, slots=True)
class Exchanges:
    """Records what token requests come to. ``window`` is that of lost answers, in seconds."""

    references: References
    recorder: Recorder
    codes: Codes
    refresh_tokens: RefreshTokens
    resources: Resources
    window: int

    def issued(self, form: Form, authority: Authority | ClientAuthority, origin: Origin) -> None:
        """That *form* got its tokens. Of refreshes and of clients without a person nothing is recorded."""
        if not isinstance(authority, Authority) or "code" not in form.single:
            return
        reference = self.references.of_exchange(authority.client_id, form.get("code_verifier"))
        if reference is not None:
            self.recorder.take(_record(reference, Step.TOKEN, Cause.TOKEN_ISSUED, origin, authority))

    def narrowed(
        self, form: Form, authority: Authority | ClientAuthority, rules: tuple[str, ...], origin: Origin
    ) -> None:
        """That *rules*, by their names, left something out of what *form* got. Clients without a person: nothing."""
        if not isinstance(authority, Authority):
            return
        reference, step = self.references.of_exchange(authority.client_id, form.get("code_verifier")), Step.TOKEN
        if reference is None:
            reference, step = loose(self.references, "refresh", origin, authority.family_id), Step.REFRESH
        told = {"rules": ", ".join(rules)}
        self.recorder.take(replace(_record(reference, step, Cause.POLICY_NARROWED, origin, authority), about=told))

    def refused(self, form: Form, authorization: str | None, error: OAuthError, origin: Origin) -> None:
        """That *form* was refused with *error*."""
        if not self.recorder.has_room(origin.site):
            return
        client_id = _claimed(form, authorization)
        shown = Presentation(form, client_id, self._resource(form), error, origin)
        is_refresh = form.get("grant_type") == GrantType.REFRESH_TOKEN
        self.recorder.take(self._refresh(shown) if is_refresh else self._exchange(shown))

    def _exchange(self, shown: Presentation) -> Record:
        code, verifier = shown.form.get("code"), shown.form.get("code_verifier")
        state = self.codes.state(credential.digest(code)) if code else None
        own = self.references.of_exchange(shown.client_id, verifier)
        cause = diagnosis.of_error(shown.error, Step.TOKEN)
        if _is_about_the_code(shown):
            redirect_uri = shown.form.get("redirect_uri")
            answers = state is not None and own == self.references.of_attempt(shown.client_id, state.challenge)
            cause = diagnosis.of_code(
                state, client_id=shown.client_id, redirect_uri=redirect_uri, answers=answers, resource=shown.resource
            )
        if state is not None:
            own = self.references.of_attempt(state.client_id, state.challenge)
        return self._refusal(shown, own, Step.TOKEN, cause)

    def _refresh(self, shown: Presentation) -> Record:
        token = shown.form.get("refresh_token")
        state = self.refresh_tokens.state(credential.digest(token)) if token else None
        cause = diagnosis.of_error(shown.error, Step.REFRESH)
        if _is_about_the_code(shown):
            cause = diagnosis.of_refresh(state, client_id=shown.client_id, window=self.window)
        if state is None:
            return self._refusal(shown, None, Step.REFRESH, cause)
        reference = loose(self.references, "refresh", shown.origin, state.authority.family_id)
        return _record(reference, Step.REFRESH, cause, shown.origin, state.authority, harmless.said(shown.error))

    def _refusal(self, shown: Presentation, reference: str | None, step: Step, cause: Cause) -> Record:
        return Record(
            reference or loose(self.references, step, shown.origin, shown.client_id),
            step,
            cause,
            shown.origin,
            client_id=shown.client_id or None,
            about={"said": harmless.said(shown.error)},
        )

    def _resource(self, form: Form) -> str | None:
        try:
            return registered.find(form.resources, self.resources).identifier if form.resources else None
        except OAuthError:
            return None


def _is_about_the_code(shown: Presentation) -> bool:
    """Whether the words of the refusal keep the reason to themselves, so that the code or token has to tell it."""
    return isinstance(shown.error, InvalidGrant) and shown.error.cause is None


def _claimed(form: Form, authorization: str | None) -> str:
    try:
        return presented(authorization, form).client_id
    except OAuthError:
        return form.get("client_id") or ""


def _record(
    reference: str, step: Step, cause: Cause, origin: Origin, authority: Authority, said: str | None = None
) -> Record:
    return Record(
        reference,
        step,
        cause,
        origin,
        client_id=authority.client_id,
        user_id=authority.subject,
        grant_id=authority.grant_id,
        resource=authority.resource,
        about={"said": said} if said else {},
    )
