"""The authorization request: one parse, and one table of which check runs where (OAuth 2.1 §4.1.1, AZ-1, AZ-2).

Until client and redirect URI are known to be good, an error is a page. After that, errors are answers to the client.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from . import pkce, redirect_uri, scope
from .client import Client, GrantType
from .errors import InvalidRequest, OAuthError, UnauthorizedClient, UnsupportedResponseType
from .form import Form
from .trace.step import Cause

RESPONSE_TYPE = "code"
MOST_STATE = 4096
SECONDS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A checked authorization request. ``asked`` are its scope tokens, ``resources`` its ``resource`` values.

    ``max_age`` is how many seconds ago the person may have signed in, ``classes`` are the ``acr_values`` of which that
    has to be one (RFC 9470 §4).
    """

    client: Client
    redirect_uri: str
    state: str | None
    challenge: str
    asked: tuple[str, ...]
    resources: tuple[str, ...]
    prompt: frozenset[str]
    max_age: int | None = None
    classes: tuple[str, ...] = ()

    @property
    def redirect_host(self) -> str:
        """Where the browser will be sent, as people and grants know it."""
        return redirect_uri.host(self.redirect_uri)


def check_response_type(form: Form, client: Client) -> None:
    """Only ``code`` exists (AZ-1)."""
    if form.need("response_type") != RESPONSE_TYPE:
        raise UnsupportedResponseType("only response_type=code is supported (OAuth 2.1)")


def check_response_mode(form: Form, client: Client) -> None:
    """The answer goes in the query, the default of ``code``."""
    if form.get("response_mode") not in (None, "query"):
        raise InvalidRequest("only response_mode=query is supported", cause=Cause.RESPONSE_MODE)


def check_grant(form: Form, client: Client) -> None:
    """The client registered the code grant."""
    if GrantType.AUTHORIZATION_CODE not in client.grant_types:
        raise UnauthorizedClient("this client is not registered for the authorization_code grant")


def check_request_object(form: Form, client: Client) -> None:
    """Request objects are not supported, and must not be ignored (OIDC Core §6.1)."""
    if form.get("request") or form.get("request_uri"):
        raise InvalidRequest("request and request_uri are not supported", cause=Cause.REQUEST_OBJECT)


def check_pkce(form: Form, client: Client) -> None:
    """PKCE with S256, from every client."""
    pkce.check_challenge(form.get("code_challenge"), form.get("code_challenge_method"))


def check_scope(form: Form, client: Client) -> None:
    """The scope parameter is of RFC 6749's grammar."""
    scope.parse(form.get("scope"))


def check_max_age(form: Form, client: Client) -> None:
    """The age of the sign-in is a number of seconds (OIDC Core §3.1.2.1)."""
    if not SECONDS.fullmatch(form.get("max_age") or "0"):
        raise InvalidRequest("max_age is not a number of seconds")


Check = Callable[[Form, Client], None]
CHECKS: tuple[Check, ...] = (
    check_response_type,
    check_response_mode,
    check_grant,
    check_request_object,
    check_pkce,
    check_scope,
    check_max_age,
)


@dataclass(frozen=True, slots=True)
class Returnable:
    """Where answers to a request go, once its client and redirect URI are known to be good."""

    client: Client
    redirect_uri: str
    state: str | None

    @property
    def at_once(self) -> bool:
        """Whether an error may be sent there before a person has signed in (AZ-2, RFC 9700 §4.11.2).

        With open registration anyone can register ``https://evil.example``; redirecting there on an error would make
        this server an open redirector. Loopback leads nowhere but home, and for some clients an administrator answers.
        """
        return self.client.vouched or redirect_uri.is_loopback(self.redirect_uri)

    def error(self, error: OAuthError, issuer: str) -> str:
        """The URL that tells the client of *error* (RFC 6749 §4.1.2.1, RFC 9207)."""
        return self._answer({"error": str(error.error), "error_description": str(error.description)}, issuer)

    def code(self, code: str, issuer: str) -> str:
        """The URL that hands the client its *code* (RFC 6749 §4.1.2, RFC 9207)."""
        return self._answer({"code": code}, issuer)

    def _answer(self, parameters: dict[str, str], issuer: str) -> str:
        if self.state is not None:
            parameters["state"] = self.state
        return redirect_uri.with_parameters(self.redirect_uri, {**parameters, "iss": issuer})


def returnable(form: Form, client: Client) -> Returnable:
    """Where answers to this request may go. Raises an `OAuthError` that is for a page only."""
    chosen = client.choose_redirect_uri(form.get("redirect_uri"))
    state = form.get("state")
    if state is not None and len(state) > MOST_STATE:
        raise InvalidRequest(f"state is longer than {MOST_STATE} characters")
    return Returnable(client, chosen, state)


def parse(form: Form, way: Returnable) -> AuthorizationRequest:
    """The checked request. Raises an `OAuthError` that the client is told by *way*."""
    for check in CHECKS:
        check(form, way.client)
    return AuthorizationRequest(
        client=way.client,
        redirect_uri=way.redirect_uri,
        state=way.state,
        challenge=form.need("code_challenge"),
        asked=scope.parse(form.get("scope")),
        resources=form.resources,
        prompt=_prompt(form),
        max_age=int(age) if (age := form.get("max_age")) else None,
        classes=tuple((form.get("acr_values") or "").split()),
    )


def _prompt(form: Form) -> frozenset[str]:
    """The values of ``prompt``. Raises `InvalidRequest` for "none" with another (OIDC Core §3.1.2.1)."""
    found = frozenset((form.get("prompt") or "").split())
    if "none" in found and len(found) > 1:
        raise InvalidRequest("prompt=none goes with no other value")
    return found
