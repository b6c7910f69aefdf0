"""What a client may say of itself at registration."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.protocol.client import AuthMethod, Client, ClientKind
from authserver.protocol.errors import InvalidClientMetadata, InvalidRedirectURI, OAuthError
from authserver.protocol.registration import metadata

LEAST = {"redirect_uris": ["http://localhost:3118/callback"]}


@pytest.mark.requirement("CR-14")
def test_grants_that_the_server_lacks_are_left_out_and_never_refused():
    asked = {
        **LEAST,
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
    }
    assert metadata.parse(asked).grant_types == ("authorization_code", "refresh_token")
    assert metadata.parse({**LEAST, "grant_types": ["client_credentials"]}).grant_types == ("authorization_code",)
    assert metadata.parse({**LEAST, "response_types": ["code", "token"]})


@pytest.mark.requirement("CR-5")
@pytest.mark.parametrize("application_type", ["web", "native", "something else", None])
def test_application_type_is_kept_and_refuses_nothing(application_type):
    found = metadata.parse({**LEAST, "application_type": application_type})
    assert found.extra.get("application_type") == application_type


@pytest.mark.requirement("CR-1")
def test_unknown_members_are_ignored_and_the_method_defaults_to_basic():
    found = metadata.parse({**LEAST, "x_unknown": {"deep": [1]}, "client_name": "  My \u202eapp\n "})
    assert "x_unknown" not in found.extra
    assert found.auth_method is AuthMethod.SECRET_BASIC
    assert found.name == "My app"


@pytest.mark.requirement("CR-1", "CR-6")
@pytest.mark.parametrize(
    "uris",
    [None, [], "https://a.example/cb", [7], ["http://a.example/cb"], [f"https://a.example/{n}" for n in range(21)]],
)
def test_bad_redirect_uris_are_named_so(uris):
    with pytest.raises(InvalidRedirectURI):
        metadata.parse({"redirect_uris": uris})


@pytest.mark.requirement("CR-1")
@pytest.mark.parametrize(
    "wrong",
    [
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"token_endpoint_auth_method": ["none"]},
        {"client_name": 7},
        {"grant_types": "authorization_code"},
        {"grant_types": [7]},
        {"client_uri": "javascript:alert(1)"},
        {"logo_uri": "x" * 3000},
        {"contacts": [["deep"]]},
        {"software_id": "a\0b"},
        {"scope": ["a"]},
    ],
)
def test_other_bad_metadata_is_named_so(wrong):
    with pytest.raises(InvalidClientMetadata):
        metadata.parse({**LEAST, **wrong})


@pytest.mark.requirement("CR-1")
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 60_000, b'"text"', b"1e999999"])
def test_what_is_no_json_object_is_refused(body):
    with pytest.raises(InvalidClientMetadata):
        metadata.load(body)


MEMBERS = st.sampled_from(
    ["redirect_uris", "client_name", "grant_types", "contacts", "scope", "logo_uri", "software_id"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.requirement("CR-1")
@given(st.dictionaries(MEMBERS, JSON))
def test_any_metadata_is_accepted_or_refused_in_the_protocols_words(found):
    try:
        kept = metadata.parse({**LEAST, **found})
    except OAuthError as refused:
        assert refused.error in {"invalid_redirect_uri", "invalid_client_metadata"}
    else:
        json.dumps(kept.extra).encode()


@pytest.mark.requirement("CR-14")
def test_scopes_are_intersected_with_those_that_exist_and_echoed():
    assert metadata.parse({**LEAST, "scope": "a b c"}, {"b", "c"}).extra["scope"] == "b c"
    assert "scope" not in metadata.parse({**LEAST, "scope": "openid"}, {"b"}).extra


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize("blank", ["\u3164", "\u2800", "\uffa0", "\u200b"])
def test_a_name_of_nothing_visible_is_no_name(blank):
    assert metadata.parse({**LEAST, "client_name": blank * 3}).name == "localhost"


@pytest.mark.requirement("CR-4")
@pytest.mark.parametrize("sent", [{"client_id": "other"}, {"client_secret": "mine"}, {"client_secret": 7}])
def test_an_update_names_its_own_client_and_secret(sent):
    client = Client("me", ClientKind.DYNAMIC, "Me", ("https://a/cb",), AuthMethod.NONE, (), 0)
    with pytest.raises(InvalidClientMetadata):
        metadata.check_credentials(sent, client, 0)
    metadata.check_credentials({"client_id": "me"}, client, 0)
