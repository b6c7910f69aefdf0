"""The server's own description: RFC 8414 metadata, and the OIDC form of it that SDKs also ask for (DI-1…4)."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from mcp_token_guard.limits import reading, schema

from . import authorization, jwk, pkce, status_list
from .client import AuthMethod
from .msg import LANGUAGES
from .resource import Resource
from .scope import OFFLINE_ACCESS

OAUTH = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"


def base_path(issuer: str) -> str:
    """The path of *issuer* without its trailing slash: ``""`` or ``/tenant1``."""
    return urlsplit(issuer).path.rstrip("/")


def well_known_paths(issuer: str) -> tuple[str, ...]:
    """Every path where clients look for the metadata of *issuer* (RFC 8414 §3.1 and §5, OIDC Discovery §4)."""
    base = base_path(issuer)
    return tuple(dict.fromkeys((OAUTH + base, OPENID + base, base + OAUTH, base + OPENID)))


def token_endpoint(issuer: str) -> str:
    """The URL of the token endpoint."""
    return issuer.rstrip("/") + "/token"


def document(
    issuer: str, *, resources: Iterable[Resource], grant_types: Sequence[str], registration: bool, documents: bool
) -> dict[str, Any]:
    """The metadata document (RFC 8414 §2), listing only what is switched on (DI-4).

    ``scopes_supported`` is kept small, the default scopes and ``offline_access``: some clients copy it whole into
    their request. The OIDC members are there because SDKs parse for them.
    """
    registered = tuple(resources)
    base = issuer.rstrip("/")
    methods = [str(method) for method in AuthMethod]
    confidential = [method for method in methods if method != AuthMethod.NONE]
    found = {
        "issuer": issuer,
        "authorization_endpoint": base + "/authorize",
        "token_endpoint": token_endpoint(issuer),
        "jwks_uri": base + "/jwks",
        "revocation_endpoint": base + "/revoke",
        "introspection_endpoint": base + "/introspect",
        "tool_permission_endpoint": base + "/tool-permission",
        "tool_challenge_endpoint": base + "/tool-challenge",
        "authorization_details_types_supported": [reading.TYPE],
        "authorization_details_types_metadata_endpoint": base + "/authorization-details-types",
        "tool_manifest_endpoint": base + "/tool-manifest",
        "tool_receipts_endpoint": base + "/tool-receipts",
        "status_list_aggregation_endpoint": base + "/status",
        "status_summary_uri_template": status_list.base(issuer) + "{resource}",
        "revoked_tokens_uri_template": status_list.base(issuer) + "{resource}/" + status_list.REVOKED,
        "scopes_supported": _small_scopes(registered),
        "response_types_supported": [authorization.RESPONSE_TYPE],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(grant_types),
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": list(jwk.ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": list(jwk.ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": list(jwk.ALGORITHMS),
        "code_challenge_methods_supported": [pkce.METHOD],
        "authorization_response_iss_parameter_supported": True,
        "ui_locales_supported": list(LANGUAGES),
        "protected_resources": [resource.identifier for resource in registered],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
    if documents:
        found["client_id_metadata_document_supported"] = True
    if registration:
        found["registration_endpoint"] = base + "/register"
    return found


def details_types() -> dict[str, Any]:
    """What there is to ask for by ``authorization_details`` (draft-zehavi-oauth-rar-metadata)."""
    description = "Tools of an MCP server, with limits on the arguments that they may be called with."
    return {reading.TYPE: {"description": description, "schema": schema.document()}}


def _small_scopes(resources: Iterable[Resource]) -> list[str]:
    names = dict.fromkeys(name for resource in resources for name in resource.default_scopes)
    return [*names, OFFLINE_ACCESS]


def validate(found: dict[str, Any]) -> None:
    """Check a document against RFC 8414 §2; raises ValueError. A loopback issuer's http is taken for https."""
    secure = {name: value.replace("http://", "https://", 1) for name, value in found.items() if isinstance(value, str)}
    AuthorizationServerMetadata({**found, **secure}).validate()
