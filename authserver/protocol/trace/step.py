"""The steps of an attempt, and all that can be said of one."""

from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """Where in the flow it was, in the order in which steps follow each other."""

    DISCOVERY = "discovery"
    REGISTRATION = "registration"
    AUTHORIZATION = "authorization"
    SIGN_IN = "sign-in"
    CONSENT = "consent"
    TOKEN = "token"  # noqa: S105 - the name of a step
    REFRESH = "refresh"
    FIRST_USE = "first use"


class Verdict(StrEnum):
    """How good it is: the flow went on, waits for a person, or ended there."""

    OK = "ok"
    WAITS = "waits"
    FAILED = "failed"


class Cause(StrEnum):
    """What happened. The values are kept in databases: they may be added to, not changed."""

    # It went on
    METADATA_READ = "metadata_read"
    REGISTERED = "registered"
    ASKED = "asked"
    SIGNED_IN = "signed_in"
    ALLOWED = "allowed"
    REMEMBERED = "remembered"
    TOKEN_ISSUED = "token_issued"  # noqa: S105 - the name of a cause
    POLICY_NARROWED = "policy_narrowed"
    TOOL_CALLED = "tool_called"
    TOOL_REFUSED = "tool_refused"
    # It waits for a person
    SIGN_IN_NEEDED = "sign_in_needed"
    CONSENT_SHOWN = "consent_shown"
    SIGN_IN_TOO_OLD = "sign_in_too_old"
    GRANT_PENDING = "grant_pending"
    # The app, as this server knows it
    NEVER_REGISTERED = "never_registered"
    DELETED = "deleted"
    SUSPENDED = "suspended"
    APPROVAL_PENDING = "approval_pending"
    DOMAIN_DENIED = "domain_denied"
    DOCUMENT_UNREADABLE = "document_unreadable"
    REDIRECT_UNREGISTERED = "redirect_unregistered"
    REDIRECT_NOT_SAID = "redirect_not_said"
    REDIRECT_HOST_NOT_ALLOWED = "redirect_host_not_allowed"
    # Registration
    REDIRECT_REFUSED = "redirect_refused"
    METADATA_REFUSED = "metadata_refused"
    STATEMENT_REFUSED = "statement_refused"
    NOT_ADMITTED = "not_admitted"
    REGISTRATION_CLOSED = "registration_closed"
    DOCUMENT_MISSING = "document_missing"
    # What the app asks for
    PKCE_MISSING = "pkce_missing"
    PKCE_NOT_S256 = "pkce_not_s256"
    PKCE_MALFORMED = "pkce_malformed"
    RESPONSE_TYPE = "response_type"
    RESPONSE_MODE = "response_mode"
    REQUEST_OBJECT = "request_object"
    GRANT_NOT_REGISTERED = "grant_not_registered"
    SCOPE_MALFORMED = "scope_malformed"
    SCOPE_UNKNOWN = "scope_unknown"
    RESOURCE_UNKNOWN = "resource_unknown"
    RESOURCE_MISSING = "resource_missing"
    RESOURCE_MALFORMED = "resource_malformed"
    TOOLS_REFUSED = "tools_refused"
    LOGIN_REQUIRED = "login_required"
    CONSENT_REQUIRED = "consent_required"
    # People
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - the name of a cause
    WRONG_FACTOR = "wrong_factor"
    SIGN_IN_TOO_WEAK = "sign_in_too_weak"
    SIGN_IN_DELAYED = "sign_in_delayed"
    SIGN_IN_BUSY = "sign_in_busy"
    UPSTREAM_FAILED = "upstream_failed"
    UPSTREAM_REFUSED = "upstream_refused"
    DENIED = "denied"
    POLICY_REFUSED = "policy_refused"
    NOTHING_CHOSEN = "nothing_chosen"
    NOT_CHOSEN = "not_chosen"
    OUT_OF_DATE = "out_of_date"
    # Codes
    PKCE_MISMATCH = "pkce_mismatch"
    VERIFIER_MALFORMED = "verifier_malformed"
    CODE_UNKNOWN = "code_unknown"
    CODE_EXPIRED = "code_expired"
    CODE_USED = "code_used"
    CODE_REPLAYED = "code_replayed"
    CODE_OF_ANOTHER = "code_of_another"
    REDIRECT_MISMATCH = "redirect_mismatch"
    RESOURCE_MISMATCH = "resource_mismatch"
    GRANT_ENDED = "grant_ended"
    # Clients that prove themselves
    CLIENT_UNKNOWN = "client_unknown"
    CLIENT_STOPPED = "client_stopped"
    CLIENT_NOT_PROVEN = "client_not_proven"
    GRANT_TYPE = "grant_type"
    SCOPE_NOT_HELD = "scope_not_held"
    TOKEN_TOO_LARGE = "token_too_large"  # noqa: S105 - the name of a cause
    # Refresh tokens
    REFRESH_UNKNOWN = "refresh_unknown"
    REFRESH_EXPIRED = "refresh_expired"
    REFRESH_ENDED = "refresh_ended"
    REFRESH_REUSED = "refresh_reused"
    REFRESH_TOO_LATE = "refresh_too_late"
    REFRESH_OF_ANOTHER = "refresh_of_another"
    # Anywhere
    MALFORMED = "malformed"
    TOO_MANY = "too_many"
    NOT_AVAILABLE = "not_available"
    SERVER_FAULT = "server_fault"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Words:
    """What a cause means. ``happened`` and ``remedy`` are for whoever has to help.

    There is no remedy where nothing is to be mended.
    """

    verdict: Verdict
    happened: str
    remedy: str = ""
