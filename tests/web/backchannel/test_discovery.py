"""Metadata and keys, as clients find them."""

from collections.abc import Callable

import jwt
import pytest

from authserver.keys.ports import Purpose
from tests.conformance.flow import Flow
from tests.conformance.site import CALENDAR, ISSUER, NOTES, Site
from tests.conformance.visitor import Visitor

OAUTH = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


@pytest.mark.requirement("DI-1")
@pytest.mark.parametrize("path", [OAUTH, OPENID])
def test_both_documents_answer_for_the_same_issuer_to_any_origin(site: Site, path: str) -> None:
    answer = site.get(path)
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.json["issuer"] == ISSUER
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "max-age" in answer.headers["Cache-Control"]


@pytest.mark.requirement("DI-1")
@pytest.mark.parametrize("path", [OAUTH, OPENID, "/jwks"])
def test_a_document_that_the_caller_has_is_not_sent_again(site: Site, path: str) -> None:
    etag = site.get(path).headers["ETag"]
    again = site.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    assert site.get(path, headers={"If-None-Match": '"another"'}).status_code == 200


@pytest.mark.requirement("DI-2")
def test_an_issuer_with_a_path_answers_wherever_clients_look(site_with: Callable[..., Site]) -> None:
    tenant = site_with(issuer="https://auth.example/tenant1")
    for path in (f"{OAUTH}/tenant1", f"{OPENID}/tenant1", f"/tenant1{OPENID}"):
        found = tenant.get(path).json
        assert found["issuer"] == "https://auth.example/tenant1"
        assert found["token_endpoint"] == "https://auth.example/tenant1/token"
    assert tenant.get(OAUTH).status_code == 404
    assert tenant.post("/tenant1/token").status_code == 400
    assert tenant.post("/token").status_code == 404


@pytest.mark.requirement("DI-3")
@pytest.mark.parametrize("host", ["evil.example", "localhost:1", "localhost:9000.evil.example", "[::1]", ""])
def test_no_host_header_moves_the_issuer(site: Site, host: str) -> None:
    headers = {"Host": host, "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    answer = site.get(OAUTH, headers=headers)
    assert answer.json["issuer"] == ISSUER
    assert "evil" not in answer.text


@pytest.mark.requirement("DI-4")
def test_the_metadata_lists_what_is_switched_on_and_nothing_else(site: Site) -> None:
    found = site.get(OAUTH).json
    assert found["response_types_supported"] == ["code"]
    assert found["grant_types_supported"] == ["authorization_code", "refresh_token", "client_credentials"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_response_iss_parameter_supported"] is True
    confidential = {"client_secret_basic", "client_secret_post", "private_key_jwt"}
    assert set(found["token_endpoint_auth_methods_supported"]) == {"none", *confidential}
    assert set(found["scopes_supported"]) == {"notes:read", "calendar:read", "offline_access"}
    assert set(found["protected_resources"]) == {NOTES.identifier, CALENDAR.identifier}
    assert "RS256" in found["id_token_signing_alg_values_supported"]
    assert found["subject_types_supported"] == ["public"]
    for name in ("registration", "revocation", "introspection", "token", "authorization"):
        assert found[f"{name}_endpoint"].startswith(f"{ISSUER}/")


@pytest.mark.requirement("DI-4", "CR-1")
def test_closed_registration_is_neither_listed_nor_there(site_with: Callable[..., Site]) -> None:
    closed = site_with(registration="closed")
    assert "registration_endpoint" not in closed.get(OAUTH).json
    assert closed.post("/register", json={"redirect_uris": ["https://a.example/cb"]}).status_code == 404


@pytest.mark.requirement("DI-5")
def test_the_jwks_shows_public_members_of_named_keys_for_both_algorithms(site: Site) -> None:
    keys = site.get("/jwks").json["keys"]
    assert {key["alg"] for key in keys} == {"ES256", "RS256"}
    for key in keys:
        assert key["use"] == "sig"
        assert key["kid"]
        assert not PRIVATE_MEMBERS & key.keys()
    # For tokens by each algorithm, and for status lists: one that signs, one in waiting.
    assert len({key["kid"] for key in keys}) == len(keys) == 6


@pytest.mark.requirement("DI-5", "TK-12", "TK-1")
def test_tokens_of_before_and_after_a_rotation_verify_by_the_published_keys(site_with: Callable[..., Site]) -> None:
    site = site_with(next_key_lead=1)
    flow, visitor = Flow(site), Visitor(site)
    before = flow.tokens(visitor)["access_token"]
    signing = site.deployment.rotation.rotate()
    after = flow.refresh().json["access_token"]
    published = jwt.PyJWKSet.from_dict(site.get("/jwks").json)
    for token in (before, after):
        kid = jwt.get_unverified_header(token)["kid"]
        claims = jwt.decode(token, published[kid], algorithms=["ES256"], audience=NOTES.identifier, issuer=ISSUER)
        assert claims["aud"] == NOTES.identifier
    of_trail = {key.kid for key in site.deployment.stores.keys.all() if key.purpose == Purpose.AUDIT}
    assert set(signing) - of_trail < {key.key_id for key in published.keys}
    assert of_trail.isdisjoint(key.key_id for key in published.keys)


@pytest.mark.requirement("DI-7")
@pytest.mark.parametrize("path", [OAUTH, OPENID, "/jwks", "/token", "/register", "/revoke", "/register/someone"])
def test_a_browser_client_may_call_the_back_channel_from_any_origin(site: Site, path: str) -> None:
    asked = "authorization, content-type, dpop, mcp-protocol-version, mcp-session-id, mcp-param-region"
    preflight = site.app.test_client().options(
        path,
        headers={
            "Origin": "https://inspector.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": asked,
        },
    )
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert preflight.headers["Access-Control-Allow-Headers"].lower() == asked
    assert "Access-Control-Allow-Credentials" not in preflight.headers
    refused = site.post(path, headers={"Origin": "https://inspector.example"})
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert "WWW-Authenticate" in refused.headers["Access-Control-Expose-Headers"]


@pytest.mark.requirement("DI-7")
@pytest.mark.parametrize("path", ["/authorize", "/sign-in", "/admin", "/introspect"])
def test_no_other_origin_reads_pages_or_introspection(site: Site, path: str) -> None:
    for answer in (site.get(path, headers={"Origin": "https://evil.example"}), site.app.test_client().options(path)):
        assert "Access-Control-Allow-Origin" not in answer.headers
