"""Dynamic registration and its management."""

import json
from typing import Any

import pytest

from tests.conformance.flow import LOOPBACK, PUBLIC, Flow
from tests.conformance.signer import Signer
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.requirement("CR-1")
def test_a_registration_is_echoed_and_not_stored_by_caches(flow: Flow) -> None:
    answer = flow.register({**PUBLIC, "software_id": "abc", "software_version": "2", "unheard_of": {"a": [1]}})
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    found = answer.json
    assert found["redirect_uris"] == PUBLIC["redirect_uris"]
    assert (found["client_name"], found["software_id"], found["software_version"]) == ("A client", "abc", "2")
    assert "unheard_of" not in found
    assert "client_secret" not in found


@pytest.mark.requirement("CR-1")
@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": "https://a.example/cb"}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://a.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://a.example/cb#x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://u:p@a.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://*.a.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [f"https://a.example/{n}" for n in range(21)]}, "invalid_redirect_uri"),
        ({**PUBLIC, "token_endpoint_auth_method": "tls_client_auth"}, "invalid_client_metadata"),
        ({**PUBLIC, "grant_types": "authorization_code"}, "invalid_client_metadata"),
        ({**PUBLIC, "client_name": ["A"]}, "invalid_client_metadata"),
        ({**PUBLIC, "client_uri": "javascript:alert(1)"}, "invalid_client_metadata"),
    ],
)
def test_a_refused_registration_says_what_is_wrong(flow: Flow, body: dict[str, Any], error: str) -> None:
    answer = flow.register(body)
    assert (answer.status_code, answer.json["error"]) == (400, error)
    assert len(answer.json["error_description"]) > 10


@pytest.mark.requirement("CR-1")
@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b'{"a":' * 2000, b'"text"'])
def test_a_body_that_is_no_object_is_refused_in_the_protocols_form(site: Site, body: bytes) -> None:
    answer = site.post("/register", data=body, content_type="application/json")
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_client_metadata")


@pytest.mark.requirement("CR-1")
def test_a_registration_over_the_bound_is_refused(site: Site) -> None:
    body = json.dumps({**PUBLIC, "client_name": "n" * 70_000})
    answer = site.post("/register", data=body, content_type="application/json")
    assert (answer.status_code, answer.json["error"]) == (413, "invalid_request")


@pytest.mark.requirement("CR-6")
@pytest.mark.parametrize(
    "uri",
    [
        "https://claude.ai/api/mcp/auth_callback",
        "http://127.0.0.1/callback",
        "http://[::1]:3000/callback",
        "http://localhost:8080/",
        "com.example.app:/cb",
        "cursor://anysphere.cursor-mcp/oauth/callback",
    ],
)
def test_what_may_be_registered_may_be_used(flow: Flow, visitor: Visitor, uri: str) -> None:
    assert flow.register({**PUBLIC, "redirect_uris": [uri]}).status_code == 201
    assert "code" in flow.allow(visitor, redirect_uri=uri)
    assert flow.token(redirect_uri=uri).status_code == 200


@pytest.mark.requirement("CR-6")
@pytest.mark.parametrize(
    ("requested", "status"),
    [
        ("http://127.0.0.1:61000/callback", 200),
        ("http://127.0.0.1/callback", 200),
        ("http://localhost:5000/callback", 400),
        ("http://127.0.0.1:5000/callback/", 400),
        ("http://127.0.0.1:5000/callback?a=b", 400),
        ("http://127.0.0.1:5000/CALLBACK", 400),
        ("https://127.0.0.1:5000/callback", 400),
        ("http://127.0.0.1:5000@evil.example/callback", 400),
    ],
)
def test_only_the_port_of_a_loopback_redirect_is_free(
    flow: Flow, visitor: Visitor, requested: str, status: int
) -> None:
    flow.register()
    page = visitor.open(flow.url(redirect_uri=requested))
    assert page.status_code == status
    assert page.location is None


@pytest.mark.requirement("CR-5")
@pytest.mark.parametrize("kind", ["web", "native", "something else", None])
def test_the_application_type_never_refuses_anything(flow: Flow, kind: str | None) -> None:
    uris = [LOOPBACK, "https://a.example/cb", "app://host/cb"]
    body = {**PUBLIC, "redirect_uris": uris, **({"application_type": kind} if kind else {})}
    answer = flow.register(body)
    assert answer.status_code == 201
    assert answer.json.get("application_type") == kind


@pytest.mark.requirement("CR-14")
def test_grants_and_response_types_that_the_server_lacks_are_left_out(flow: Flow) -> None:
    grants = ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code", "implicit", "refresh_token"]
    answer = flow.register({**PUBLIC, "grant_types": grants, "response_types": ["code", "token", "id_token"]})
    assert answer.status_code == 201
    assert answer.json["grant_types"] == ["authorization_code", "refresh_token"]
    assert answer.json["response_types"] == ["code"]


@pytest.mark.requirement("CR-4")
def test_a_client_reads_changes_and_removes_its_own_registration(site: Site, flow: Flow) -> None:
    made = flow.register().json
    path, token = f"/register/{made['client_id']}", made["registration_access_token"]
    assert made["registration_client_uri"].endswith(path)
    assert site.get(path, headers=bearer(token)).json["redirect_uris"] == PUBLIC["redirect_uris"]
    changed = site.app.test_client().put(path, headers=bearer(token), json={**PUBLIC, "client_name": "Renamed"})
    assert (changed.status_code, changed.json["client_name"]) == (200, "Renamed")
    fresh = changed.json["registration_access_token"]
    assert fresh != token
    assert site.get(path, headers=bearer(token)).status_code == 401
    assert site.app.test_client().delete(path, headers=bearer(fresh)).status_code == 204
    assert site.get(path, headers=bearer(fresh)).status_code == 401


@pytest.mark.requirement("CR-4")
def test_nobody_else_reaches_a_registration(site: Site, flow: Flow) -> None:
    made = flow.register().json
    other = Flow(site).register().json["registration_access_token"]
    path = f"/register/{made['client_id']}"
    for headers in ({}, bearer("wrong"), bearer(other), {"Authorization": "Basic eDp5"}):
        answer = site.get(path, headers=headers)
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert site.get("/register/nobody", headers=bearer(other)).status_code == 401


@pytest.mark.requirement("CR-4", "CR-15", "TK-8")
def test_removing_a_registration_ends_its_tokens(site: Site, flow: Flow, visitor: Visitor) -> None:
    flow.tokens(visitor)
    token = flow.client["registration_access_token"]
    site.app.test_client().delete(f"/register/{flow.client['client_id']}", headers=bearer(token))
    answer = flow.refresh()
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.requirement("CR-12", "TK-6")
def test_a_secret_is_made_where_none_was_chosen_and_shown_once(site: Site, flow: Flow) -> None:
    body = {name: value for name, value in PUBLIC.items() if name != "token_endpoint_auth_method"}
    made = flow.register(body).json
    assert made["token_endpoint_auth_method"] == "client_secret_basic"
    assert made["client_secret"].startswith("mcps_")
    assert made["client_secret_expires_at"] == 0
    read = site.get(f"/register/{made['client_id']}", headers=bearer(made["registration_access_token"])).json
    assert "client_secret" not in read


@pytest.mark.requirement("CR-1")
def test_one_address_cannot_register_without_end(site_with: Any) -> None:
    site = site_with(registrations_per_address="2 per hour")
    answers = [Flow(site).register() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert int(answers[2].headers["Retry-After"]) > 0


@pytest.mark.requirement("CR-4", "CR-12")
def test_a_client_goes_over_to_a_key_and_back(site: Site, flow: Flow) -> None:
    signer = Signer.new()
    made = flow.register({**PUBLIC, "token_endpoint_auth_method": "client_secret_post"}).json
    path, old = f"/register/{made['client_id']}", made["client_secret"]
    by_key = {**PUBLIC, "token_endpoint_auth_method": "private_key_jwt", "jwks": signer.jwks, "client_secret": old}
    keyed = site.http().put(path, headers=bearer(made["registration_access_token"]), json=by_key).json
    assert keyed["jwks"] == signer.jwks
    assert not {"client_secret", "client_secret_expires_at"} & keyed.keys()
    assert flow.refresh(refresh_token="x", client_secret=old).status_code == 401
    form = {"client_id": None, "refresh_token": "x", **signer.form(made["client_id"])}
    assert flow.refresh(**form).json["error"] == "invalid_grant"
    body = {**PUBLIC, "token_endpoint_auth_method": "client_secret_post"}
    back = site.http().put(path, headers=bearer(keyed["registration_access_token"]), json=body).json
    assert "jwks" not in back
    assert back["client_secret"] != old
    assert flow.refresh(**{**form, **signer.form(made["client_id"])}).status_code == 401
    assert flow.refresh(refresh_token="x", client_secret=old).status_code == 401
    assert flow.refresh(refresh_token="x", client_secret=back["client_secret"]).status_code == 400


@pytest.mark.requirement("EX-1")
def test_nobody_registers_for_tokens_without_a_person(flow: Flow) -> None:
    signer = Signer.new()
    by_key = {"token_endpoint_auth_method": "private_key_jwt", "jwks": signer.jwks}
    made = flow.register({**PUBLIC, **by_key, "grant_types": ["client_credentials", "authorization_code"]}).json
    assert made["grant_types"] == ["authorization_code"]
