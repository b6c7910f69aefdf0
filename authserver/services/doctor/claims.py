"""What the metadata says that the server can do (DI-4)."""

from ...protocol import pkce
from ...protocol.scope import OFFLINE_ACCESS
from .outcome import Outcome, argument, fail, ok, shown, warn
from .visit import IssuerVisit

ENDPOINTS = (
    "authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint", "revocation_endpoint",
    "introspection_endpoint",
)  # fmt: skip
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def endpoints_at_home(visit: IssuerVisit) -> Outcome | None:
    """The endpoints are there, and share the issuer's origin."""
    if not visit.metadata:
        return None
    if missing := [name for name in NEEDED if not visit.metadata.get(name)]:
        return fail(
            f"the metadata has no {', '.join(missing)}",
            "Clients cannot go on.",
            "See which server answers here: this one's metadata has them.",
        )
    strange = [name for name in ENDPOINTS if visit.metadata.get(name) and visit.endpoint(name) is None]
    if not strange:
        return ok("all endpoints are at the issuer's own address")
    listed = ", ".join(f"{name} {shown(visit.metadata[name])}" for name in strange)
    return fail(
        f"not at {shown(visit.origin)}: {listed}",
        "A client, or a person, would be sent to another server with what is secret. The doctor did not go there.",
        "Set AUTHSERVER_ISSUER to the public URL; let no proxy rewrite the metadata.",
    )


def pkce_offered(visit: IssuerVisit) -> Outcome | None:
    """S256 is listed: clients stop if it is not (MCP authorization)."""
    if not visit.metadata:
        return None
    methods = visit.listed("code_challenge_methods_supported")
    if pkce.METHOD in methods:
        return ok("PKCE with S256 is offered")
    return fail(
        "code_challenge_methods_supported does not list S256",
        "MCP clients must refuse a server without PKCE.",
        "Let the server's own metadata through.",
    )


def issuer_in_answers(visit: IssuerVisit) -> Outcome | None:
    """Answers carry ``iss`` (RFC 9207)."""
    if not visit.metadata:
        return None
    if visit.metadata.get("authorization_response_iss_parameter_supported") is True:
        return ok("authorization answers name their issuer (RFC 9207)")
    return warn(
        "the metadata does not say that authorization answers carry iss (RFC 9207)",
        "Clients of several servers cannot tell whose answer it is.",
        "Let the server's own metadata through.",
    )


def public_clients(visit: IssuerVisit) -> Outcome | None:
    """``none`` stands beside metadata documents: Claude and opencode use those only if it does."""
    if not visit.metadata:
        return None
    documents = visit.metadata.get("client_id_metadata_document_supported") is True
    if "none" not in visit.listed("token_endpoint_auth_methods_supported"):
        return fail(
            "token_endpoint_auth_methods_supported does not list none",
            "Clients without a secret cannot connect; Claude ignores metadata documents without it." if documents
            else "Clients without a secret, which is nearly all of them, cannot connect.",
            "Let the server's own metadata through.",
        )  # fmt: skip
    if documents:
        return ok("clients without a secret are welcome, with a metadata document too")
    return warn(
        "client_id_metadata_document_supported is not true",
        "Clients that have a metadata document must register anew each time.",
        "Switch metadata documents on.",
    )


def refresh_offered(visit: IssuerVisit) -> Outcome | None:
    """``offline_access`` is listed: ChatGPT and Copilot Studio ask for refresh tokens only then."""
    if not visit.metadata:
        return None
    if OFFLINE_ACCESS in visit.listed("scopes_supported"):
        return ok("offline_access is listed, so clients ask for refresh tokens")
    return warn(
        "scopes_supported does not list offline_access",
        "Some clients (ChatGPT, Copilot Studio) then get no refresh token, and people sign in again and again.",
        "Let the server's own metadata through.",
    )


def knows_the_resource(visit: IssuerVisit) -> Outcome | None:
    """The MCP server that led here is registered."""
    if not visit.metadata or not visit.resource:
        return None
    if visit.resource in visit.listed("protected_resources"):
        return ok("the authorization server knows the MCP server")
    return warn(
        f"protected_resources does not list {shown(visit.resource)}",
        "Clients that ask for a token for it are refused (invalid_target), unless it is an alias.",
        f"On the authorization server: authserver resource add {argument(visit.resource)} …",
    )
