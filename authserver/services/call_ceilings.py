"""Ceilings on calls that cost something: by grant and by client first, by address only for what nobody has proven.

Hosted clients send the calls of all their users from a few addresses, and the id of a public client is no secret. So
nobody is refused for what a stranger does from the same address or in the same client's name: counted is, of grants,
what was given out; of clients, those that have proven themselves; of addresses, failures. And from an address with too
many failures whatever is known here, a code or a token, is still answered.
"""

from dataclasses import dataclass

from ..protocol import credential
from ..protocol.access_token import Authority, ClientAuthority
from ..protocol.audit import Origin
from ..protocol.client import Client, GrantType
from ..protocol.errors import InvalidClient, InvalidGrant, OAuthError
from ..protocol.form import Form
from ..protocol.ports import Codes, RefreshTokens
from ..settings import Settings
from ..store.ceilings import Ceiling
from ..store.stores import Stores
from .ceilings import ClientLimit, refuse

ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed calls that nobody has proven to be theirs, by the site that they come from."""

    ceiling: Ceiling

    def count(self, origin: Origin) -> None:
        """Count one. Raises `SlowDown` over the ceiling, in place of what was wrong."""
        refuse(self.ceiling.take(origin.site), ADDRESS)


@dataclass(frozen=True, slots=True)
class TokenCeilings:
    """What the token endpoint gives out: to one grant, to one client for itself, and to strangers no answer at all."""

    refreshes: Ceiling
    own: ClientLimit
    failures: Failures
    codes: Codes
    refresh_tokens: RefreshTokens

    def admit(self, client: Client, form: Form, origin: Origin) -> None:
        """Nothing, if *form* may be answered now; counts nothing of a grant. Raises `SlowDown`."""
        presented = form.get("refresh_token")
        if presented is not None:
            refuse(self.refreshes.wait(_family(presented)), "grant")
        elif form.get("grant_type") == GrantType.CLIENT_CREDENTIALS and not client.is_public:
            self.own.count(client.client_id)
        if client.is_public and self.failures.ceiling.is_busy:
            wait = self.failures.ceiling.wait(origin.site)
            if wait > 0 and not self._knows(form):
                refuse(wait, ADDRESS)

    def given(self, authority: Authority | ClientAuthority, form: Form) -> None:
        """Count that *form* got its tokens."""
        if isinstance(authority, Authority) and "refresh_token" in form.single:
            self.refreshes.take(authority.family_id)

    def refused(self, client: Client | None, error: OAuthError, origin: Origin) -> None:
        """Count a failure of *client*, None if it is not known who it is.

        Raises `SlowDown` over the ceiling, in place of *error*; but of a code or a token, what is known of it is told:
        `admit` has sorted out the unknown ones.
        """
        if client is None and isinstance(error, InvalidClient):
            self.failures.count(origin)
        elif client is not None and client.is_public and isinstance(error, InvalidGrant):
            self.failures.ceiling.take(origin.site)

    def _knows(self, form: Form) -> bool:
        """Whether the code or the refresh token is one of ours, used or not: that cannot be guessed."""
        token, code = form.get("refresh_token"), form.get("code")
        if token is not None:
            return self.refresh_tokens.state(credential.digest(token)) is not None
        return code is not None and self.codes.state(credential.digest(code)) is not None


@dataclass(frozen=True, slots=True)
class CallCeilings:
    """All of them, for those who count: ``pages`` by person, ``visits`` by the address of who is not signed in."""

    tokens: TokenCeilings
    failures: Failures
    introspection: ClientLimit
    revocation: ClientLimit
    guards: ClientLimit
    api: ClientLimit
    pages: Ceiling
    visits: Ceiling


def call_ceilings(settings: Settings, stores: Stores) -> CallCeilings:
    """The ceilings that *settings* have."""
    counts = stores.ceilings
    failures = Failures(counts.of("failures", settings.failures_per_address))
    tokens = TokenCeilings(
        refreshes=counts.of("refreshes", settings.refreshes_per_grant),
        own=ClientLimit(counts.of("own tokens", settings.own_tokens_per_client)),
        failures=failures,
        codes=stores.codes,
        refresh_tokens=stores.refresh_tokens,
    )
    return CallCeilings(
        tokens=tokens,
        failures=failures,
        introspection=ClientLimit(counts.of("introspection", settings.calls_per_client)),
        revocation=ClientLimit(counts.of("revocation", settings.calls_per_client)),
        guards=ClientLimit(counts.of("guards", settings.calls_per_client)),
        api=ClientLimit(counts.of("API", settings.api_calls_per_client)),
        pages=counts.of("pages", settings.pages_per_person),
        visits=counts.of("visits", settings.pages_per_address),
    )


def _family(presented: str) -> str:
    """The family that a refresh token names."""
    return presented.rpartition(".")[2]
