"""The metadata document says what is switched on, and clients find it wherever they look."""

from typing import Any

import pytest

from authserver.protocol import metadata
from authserver.protocol.resource import Resource
from authserver.protocol.scope import Scope

NOTES = Resource(
    "https://mcp.example/notes", "Notes", (Scope("notes:read", "Read", is_default=True), Scope("notes:write", "Write"))
)


def document(
    issuer: str = "https://auth.example", *, registration: bool = True, documents: bool = True
) -> dict[str, Any]:
    return metadata.document(
        issuer,
        resources=[NOTES],
        grant_types=("authorization_code", "refresh_token"),
        registration=registration,
        documents=documents,
    )


@pytest.mark.requirement("DI-4")
def test_it_is_valid_by_rfc_8414_and_has_what_oidc_discovery_requires():
    found = document()
    metadata.validate(found)
    assert found["subject_types_supported"] == ["public"]
    assert "RS256" in found["id_token_signing_alg_values_supported"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_response_iss_parameter_supported"] is True


@pytest.mark.requirement("DI-4")
def test_only_what_is_switched_on_is_listed():
    assert "registration_endpoint" in document()
    assert "registration_endpoint" not in document(registration=False)
    assert document()["client_id_metadata_document_supported"] is True
    assert "client_id_metadata_document_supported" not in document(documents=False)


@pytest.mark.requirement("DI-4")
def test_scopes_are_the_small_set_since_clients_copy_them():
    assert document()["scopes_supported"] == ["notes:read", "offline_access"]


@pytest.mark.requirement("DI-2")
def test_an_issuer_with_a_path_is_found_by_insertion_and_by_appending():
    assert set(metadata.well_known_paths("https://h.example/tenant1")) == {
        "/.well-known/oauth-authorization-server/tenant1",
        "/.well-known/openid-configuration/tenant1",
        "/tenant1/.well-known/oauth-authorization-server",
        "/tenant1/.well-known/openid-configuration",
    }
    assert document("https://h.example/tenant1")["token_endpoint"] == "https://h.example/tenant1/token"


@pytest.mark.requirement("DI-3")
def test_the_issuer_is_the_configured_one_to_the_byte():
    assert document("http://localhost:9000")["issuer"] == "http://localhost:9000"
    metadata.validate(document("http://localhost:9000"))
