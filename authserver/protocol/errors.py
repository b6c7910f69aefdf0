"""The wire's vocabulary: every error that a client may be told.

::

    OAuthError (Authlib's OAuth2Error)
    ├── InvalidRequest            400   malformed, repeated or missing parameter (RFC 6749 §5.2)
    │   └── TooLarge              413   body over the bound
    ├── InvalidClient             401   unknown client or failed authentication (RFC 6749 §5.2)
    │   ├── ClientRefused         401   a domain whose apps an administrator does not want (CR-10)
    │   ├── DocumentRefused       401   a client metadata document that cannot be had or is not right (CR-7)
    │   └── UnknownClient         401   at authorize, with what became of it
    ├── InvalidGrant              400   code or refresh token that is not, or no longer, good (RFC 6749 §5.2)
    ├── UnauthorizedClient        400   a grant that this client may not use (RFC 6749 §5.2)
    │   └── ApprovalPending       400   a client that waits for an administrator, at authorize
    ├── UnsupportedGrantType      400   (RFC 6749 §5.2)
    ├── UnsupportedResponseType   400   (RFC 6749 §4.1.2.1)
    ├── InvalidScope              400   nothing is left of the scopes asked for (RFC 6749 §5.2)
    ├── InvalidTarget             400   unknown or ambiguous resource (RFC 8707 §2)
    ├── AccessDenied              400   the person, or policy, said no (RFC 6749 §4.1.2.1)
    │   ├── Forbidden             403   a change of a registration that policy does not allow (RFC 7592 §2.2)
    │   ├── GrantPending          400   an administrator has to allow it first, by a rule
    │   └── PolicyRefused         400   a rule that an administrator made says no
    ├── LoginRequired             400   ``prompt=none`` without a session (OIDC Core §3.1.2.6)
    │   └── SignInTooOld          400   the same, where a rule wants a fresh sign-in
    ├── UnmetAuthenticationRequirements  400  ``acr_values`` that this person cannot meet (RFC 9470 §5)
    ├── ConsentRequired           400   ``prompt=none`` with a decision to make (OIDC Core §3.1.2.6)
    ├── InvalidRedirectURI        400   at registration (RFC 7591 §3.2.2)
    │   ├── RedirectHostNotAllowed  400   not on this deployment's allow-list, at registration and at authorize
    │   └── UnregisteredRedirect  400   at authorize, of a client that is known
    ├── InvalidClientMetadata     400   at registration (RFC 7591 §3.2.2)
    ├── InvalidSoftwareStatement  400   at registration (RFC 7591 §3.2.2)
    ├── UnapprovedSoftwareStatement  400   at registration: it is not meant for this server (RFC 7591 §3.2.2)
    ├── InvalidToken              401   registration or initial access token (RFC 6750 §3.1)
    ├── SlowDown                  429   rate limit, with ``Retry-After``
    ├── TemporarilyUnavailable    503   with ``Retry-After`` (RFC 6749 §4.1.2.1)
    └── ServerError               500   anything else; the reason is in the log only

Raise them anywhere; one place in ``web`` writes them.
"""

from enum import StrEnum

from authlib.oauth2.base import OAuth2Error, invalid_error_characters

from .trace.step import Cause


class OAuthError(OAuth2Error):
    """An error with its wire form.

    ``description`` (str) goes to the client, reduced to the characters that RFC 6749 §5.2 allows;
    ``private`` (str) goes to the log only, ``cause`` to the flow trace, where the class alone does not tell it;
    ``retry_after`` is in seconds.
    """

    error = "server_error"
    status_code = 400

    def __init__(
        self, description: str = "", *, private: str = "", retry_after: int | None = None, cause: Cause | None = None
    ) -> None:
        super().__init__(description=printable(description))
        self.private = private
        self.retry_after = retry_after
        self.cause = cause


class InvalidRequest(OAuthError):
    """RFC 6749 §5.2 ``invalid_request``."""

    error = "invalid_request"


class TooLarge(InvalidRequest):
    """A body over the endpoint's bound."""

    status_code = 413


class InvalidClient(OAuthError):
    """RFC 6749 §5.2 ``invalid_client``; always 401, so that clients register again (CR-15)."""

    error = "invalid_client"
    status_code = 401


class ToldToPeople(InvalidClient):
    """The description is a sentence for a person: ``words`` (`protocol.msg`), with a place for each of ``values``."""

    def __init__(self, words: str, *values: str) -> None:
        super().__init__(words.format(*values))
        self.words, self.values = words, values


class ClientRefused(ToldToPeople):
    """A client of a domain that an administrator denied."""


class DocumentRefused(ToldToPeople):
    """A client whose metadata document is not to be had or not right."""


class Absence(StrEnum):
    """Why a client cannot be used."""

    NEVER_REGISTERED = "this client is not registered here"
    DELETED = "this client is not registered here any more"
    SUSPENDED = "this client was stopped by an administrator"


class UnknownClient(InvalidClient):
    """An authorization request of a client that cannot be used; ``absence`` is for its page (CR-15)."""

    def __init__(self, absence: Absence, name: str = "") -> None:
        super().__init__(absence)
        self.absence = absence
        self.name = name


class InvalidGrant(OAuthError):
    """RFC 6749 §5.2 ``invalid_grant``."""

    error = "invalid_grant"


class UnauthorizedClient(OAuthError):
    """RFC 6749 §5.2 ``unauthorized_client``."""

    error = "unauthorized_client"


class ApprovalPending(UnauthorizedClient):
    """An administrator has to approve this client first; ``name`` and ``client_id`` are for the page that says so."""

    def __init__(self, name: str, client_id: str) -> None:
        super().__init__("an administrator has to approve this client first")
        self.name = name
        self.client_id = client_id


class UnsupportedGrantType(OAuthError):
    """RFC 6749 §5.2 ``unsupported_grant_type``."""

    error = "unsupported_grant_type"


class UnsupportedResponseType(OAuthError):
    """RFC 6749 §4.1.2.1 ``unsupported_response_type``."""

    error = "unsupported_response_type"


class InvalidScope(OAuthError):
    """RFC 6749 §5.2 ``invalid_scope``."""

    error = "invalid_scope"


class InvalidAuthorizationDetails(OAuthError):
    """RFC 9396 §5 ``invalid_authorization_details``."""

    error = "invalid_authorization_details"


class InvalidTarget(OAuthError):
    """RFC 8707 §2 ``invalid_target``."""

    error = "invalid_target"


class AccessDenied(OAuthError):
    """RFC 6749 §4.1.2.1 ``access_denied``."""

    error = "access_denied"


class Forbidden(AccessDenied):
    """RFC 7592 §2.2: the client may not change its registration."""

    status_code = 403


class PolicyRefused(AccessDenied):
    """A rule leaves nothing of a request; ``says`` is the administrator's own word about it, or empty."""

    def __init__(self, description: str, says: str, *, private: str) -> None:
        super().__init__(description, private=private, cause=Cause.POLICY_REFUSED)
        self.says = says


class GrantPending(AccessDenied):
    """A rule wants an administrator to allow it first; ``says`` as in `PolicyRefused`.

    ``asked`` says whether one has been asked, None that one said no.
    """

    def __init__(self, says: str, *, asked: bool | None, private: str) -> None:
        denied = asked is None
        said = "an administrator did not allow that" if denied else "an administrator has to allow that first"
        super().__init__(said, private=private, cause=Cause.POLICY_REFUSED if denied else Cause.GRANT_PENDING)
        self.says = says
        self.asked = asked


class LoginRequired(OAuthError):
    """OIDC Core §3.1.2.6 ``login_required``."""

    error = "login_required"


class SignInTooOld(LoginRequired):
    """What is asked wants a sign-in of late; whoever is there signs in again, then it goes on."""

    def __init__(self, *, private: str) -> None:
        super().__init__("this needs a sign-in of late", private=private, cause=Cause.SIGN_IN_TOO_OLD)


class UnmetAuthenticationRequirements(OAuthError):
    """RFC 9470 §5 ``unmet_authentication_requirements``."""

    error = "unmet_authentication_requirements"


class ConsentRequired(OAuthError):
    """OIDC Core §3.1.2.6 ``consent_required``."""

    error = "consent_required"


class InvalidRedirectURI(OAuthError):
    """RFC 7591 §3.2.2 ``invalid_redirect_uri``."""

    error = "invalid_redirect_uri"


class RedirectHostNotAllowed(InvalidRedirectURI):
    """The deployment does not let clients send people there (CR-2)."""


class UnregisteredRedirect(InvalidRedirectURI):
    """An authorization request that would end elsewhere than registered; ``name`` is the client's, for its page."""

    def __init__(self, name: str) -> None:
        super().__init__("redirect_uri is not one that this client registered")
        self.name = name


class InvalidClientMetadata(OAuthError):
    """RFC 7591 §3.2.2 ``invalid_client_metadata``."""

    error = "invalid_client_metadata"


class InvalidSoftwareStatement(OAuthError):
    """RFC 7591 §3.2.2 ``invalid_software_statement``."""

    error = "invalid_software_statement"


class UnapprovedSoftwareStatement(OAuthError):
    """RFC 7591 §3.2.2 ``unapproved_software_statement``."""

    error = "unapproved_software_statement"


class InvalidToken(OAuthError):
    """RFC 6750 §3.1 ``invalid_token``."""

    error = "invalid_token"
    status_code = 401


class SlowDown(OAuthError):
    """A rate limit was reached; the code is the one that OAuth clients know how to treat."""

    error = "temporarily_unavailable"
    status_code = 429


class TemporarilyUnavailable(OAuthError):
    """RFC 6749 §4.1.2.1 ``temporarily_unavailable``."""

    error = "temporarily_unavailable"
    status_code = 503


class ServerError(OAuthError):
    """RFC 6749 §4.1.2.1 ``server_error``."""

    error = "server_error"
    status_code = 500


def printable(text: str) -> str:
    """*text* with every character that RFC 6749 §5.2 forbids in a description replaced by ``?``."""
    for character in invalid_error_characters(text):
        text = text.replace(character, "'" if character == '"' else "?")
    return text
