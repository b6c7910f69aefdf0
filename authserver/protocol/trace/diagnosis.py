"""From a refusal to its cause: by the error itself, or by how the code or token stands that was refused."""

from .. import errors
from ..authorization_code import REPLAY_WINDOW, CodeState
from ..errors import OAuthError
from ..refresh_token import TokenState
from .step import Cause, Step

BY_ABSENCE = {
    errors.Absence.NEVER_REGISTERED: Cause.NEVER_REGISTERED,
    errors.Absence.DELETED: Cause.DELETED,
    errors.Absence.SUSPENDED: Cause.SUSPENDED,
}
# The first that fits: what inherits stands before what it inherits from.
BY_TYPE: tuple[tuple[type[OAuthError], Cause], ...] = (
    (errors.ClientRefused, Cause.DOMAIN_DENIED),
    (errors.DocumentRefused, Cause.DOCUMENT_UNREADABLE),
    (errors.ApprovalPending, Cause.APPROVAL_PENDING),
    (errors.RedirectHostNotAllowed, Cause.REDIRECT_HOST_NOT_ALLOWED),
    (errors.UnregisteredRedirect, Cause.REDIRECT_UNREGISTERED),
    (errors.InvalidRedirectURI, Cause.REDIRECT_REFUSED),
    (errors.InvalidClientMetadata, Cause.METADATA_REFUSED),
    (errors.InvalidSoftwareStatement, Cause.STATEMENT_REFUSED),
    (errors.UnapprovedSoftwareStatement, Cause.STATEMENT_REFUSED),
    (errors.InvalidToken, Cause.NOT_ADMITTED),
    (errors.InvalidClient, Cause.CLIENT_NOT_PROVEN),
    (errors.UnauthorizedClient, Cause.GRANT_NOT_REGISTERED),
    (errors.UnsupportedGrantType, Cause.GRANT_TYPE),
    (errors.UnsupportedResponseType, Cause.RESPONSE_TYPE),
    (errors.InvalidScope, Cause.SCOPE_UNKNOWN),
    (errors.InvalidAuthorizationDetails, Cause.TOOLS_REFUSED),
    (errors.InvalidTarget, Cause.RESOURCE_MALFORMED),
    (errors.AccessDenied, Cause.NOT_CHOSEN),
    (errors.LoginRequired, Cause.LOGIN_REQUIRED),
    (errors.UnmetAuthenticationRequirements, Cause.SIGN_IN_TOO_WEAK),
    (errors.ConsentRequired, Cause.CONSENT_REQUIRED),
    (errors.SlowDown, Cause.TOO_MANY),
    (errors.TemporarilyUnavailable, Cause.NOT_AVAILABLE),
    (errors.ServerError, Cause.SERVER_FAULT),
    (errors.InvalidRequest, Cause.MALFORMED),
)
PAST_CONSENT = frozenset({Step.TOKEN, Step.REFRESH})


def of_error(error: OAuthError, step: Step) -> Cause:
    """Why *step* ended with *error*."""
    if error.cause is not None:
        return error.cause
    if isinstance(error, errors.UnknownClient):
        return BY_ABSENCE[error.absence]
    if isinstance(error, errors.InvalidScope) and step in PAST_CONSENT:
        return Cause.SCOPE_NOT_HELD
    return next((cause for kind, cause in BY_TYPE if isinstance(error, kind)), Cause.REFUSED)


def of_code(
    state: CodeState | None, *, client_id: str, redirect_uri: str | None, answers: bool, resource: str | None
) -> Cause:
    """Why a code was refused that was presented so, from its *state* afterwards; *answers*: the verifier its challenge.

    One that ended without giving anything was ended by a wrong proof (`store.codes.CodeStore.redeem`), or with its
    grant.
    """
    if state is None:
        return Cause.CODE_UNKNOWN
    if state.client_id != client_id:
        return Cause.CODE_OF_ANOTHER
    return _unredeemed(state, resource) if state.age is None else _ended(state, state.age, redirect_uri, answers)


def of_refresh(state: TokenState | None, *, client_id: str, window: int) -> Cause:
    """Why a refresh token was refused that was presented so, from its *state* afterwards; *window* is in seconds."""
    if state is None:
        return Cause.REFRESH_UNKNOWN
    if state.client_id != client_id:
        return Cause.REFRESH_OF_ANOTHER
    if state.age is not None and state.age > window:
        return Cause.REFRESH_REUSED
    if not state.alive or state.expired:
        return Cause.REFRESH_EXPIRED if state.alive else Cause.REFRESH_ENDED
    return Cause.REFRESH_UNKNOWN if state.age is None else Cause.REFRESH_TOO_LATE


def _unredeemed(state: CodeState, resource: str | None) -> Cause:
    if state.expired:
        return Cause.CODE_EXPIRED
    return Cause.RESOURCE_MISMATCH if resource not in (None, state.resource) else Cause.GRANT_ENDED


def _ended(state: CodeState, age: int, redirect_uri: str | None, answers: bool) -> Cause:
    if not answers:
        return Cause.PKCE_MISMATCH
    if redirect_uri not in (None, state.redirect_uri):
        return Cause.REDIRECT_MISMATCH
    if state.family_id is None:
        return Cause.GRANT_ENDED
    return Cause.CODE_REPLAYED if age > REPLAY_WINDOW else Cause.CODE_USED
