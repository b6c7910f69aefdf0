"""What a client's metadata says of its authentication, and what it comes to."""

import pytest

from authserver.protocol.client import AuthMethod, Client, ClientKind
from authserver.protocol.errors import InvalidClientMetadata
from authserver.protocol.registration import authentication, metadata, response
from tests.conformance.signer import Signer

KEYS = Signer.new().jwks
RSA_KEYS = Signer.new("RS256").jwks
URI = "https://client.example/jwks"
METHOD, METHODS = "token_endpoint_auth_method", "token_endpoint_auth_methods_supported"
ALG, ALGS = "token_endpoint_auth_signing_alg", "token_endpoint_auth_signing_alg_values_supported"
BY_KEY = {METHOD: "private_key_jwt"}
LEAST = {"redirect_uris": ["https://client.example/cb"]}
PUBLIC_ONLY = (AuthMethod.PRIVATE_KEY_JWT, AuthMethod.NONE)


@pytest.mark.requirement("CR-12")
@pytest.mark.parametrize("keys", [{"jwks": KEYS}, {"jwks_uri": URI}])
def test_private_key_jwt_comes_with_its_keys(keys):
    found = authentication.parse({**BY_KEY, **keys})
    assert found.method is AuthMethod.PRIVATE_KEY_JWT
    assert (found.jwks, found.jwks_uri) == (keys.get("jwks"), keys.get("jwks_uri"))


@pytest.mark.requirement("CR-12")
@pytest.mark.parametrize(
    "said",
    [
        BY_KEY,
        {**BY_KEY, "jwks": KEYS, "jwks_uri": URI},
        {METHOD: "none", "jwks": KEYS, "jwks_uri": URI},
        {**BY_KEY, "jwks": {"keys": []}},
        {**BY_KEY, "jwks": []},
        {**BY_KEY, "jwks": "https://client.example/jwks"},
        *({**BY_KEY, "jwks_uri": uri} for uri in (
            "http://client.example/jwks", "https://", "https:///jwks", "client.example/jwks", "", 7, [URI], "https://[::1",
            "https://user@client.example/", f"{URI}#x", f"{URI} ", f"{URI}\n", "https://h:0/", "https://h:99999/",
            "https://" + "h" * 3000, "https://client.example/ü", "file:///etc/passwd", "https://h\\@evil.example/",
        )),
        {**BY_KEY, "jwks": KEYS, ALG: "HS256"},
        {**BY_KEY, "jwks": KEYS, ALG: "none"},
        {**BY_KEY, "jwks": KEYS, ALG: ["ES256"]},
        {**BY_KEY, "jwks": KEYS, ALG: "RS256"},
        {**BY_KEY, "jwks": KEYS, ALGS: ["RS256", "ES512"]},
        {**BY_KEY, "jwks": KEYS, ALGS: ["ES512"]},
        {**BY_KEY, "jwks": KEYS, ALGS: "ES256"},
        {METHODS: ["private_key_jwt", "tls_client_auth"]},
        {METHODS: "none"},
        {METHODS: [["none"]]},
        {METHODS: ["none"] * 51},
        {METHOD: "tls_client_auth", METHODS: ["client_secret_jwt"]},
    ],
)  # fmt: skip
def test_what_cannot_be_met_is_refused(said):
    with pytest.raises(InvalidClientMetadata):
        authentication.parse(said)


@pytest.mark.requirement("CR-13")
@pytest.mark.parametrize(
    ("said", "best"),
    [
        ({}, "client_secret_basic"),
        ({METHODS: []}, "client_secret_basic"),
        ({METHODS: ["none"]}, "none"),
        ({METHODS: ["none", "client_secret_post"]}, "client_secret_post"),
        ({METHODS: ["none", "private_key_jwt"], "jwks_uri": URI}, "private_key_jwt"),
        ({METHODS: ["none", "private_key_jwt"]}, "none"),
        ({METHODS: ["private_key_jwt", "client_secret_basic", "x"]}, "client_secret_basic"),
        ({METHOD: "none", METHODS: ["client_secret_basic"]}, "none"),
        ({METHOD: "tls_client_auth", METHODS: ["none"]}, "none"),
    ],
)  # fmt: skip
def test_of_several_methods_the_best_that_both_have_is_taken(said, best):
    assert authentication.parse(said).method == best


@pytest.mark.requirement("CR-7", "CR-13")
def test_a_kind_of_client_without_secrets_is_given_none():
    assert authentication.parse({}, PUBLIC_ONLY).method is AuthMethod.NONE
    choices = {METHODS: ["client_secret_basic", "none"]}
    assert authentication.parse(choices, PUBLIC_ONLY).method is AuthMethod.NONE
    for said in (
        {METHOD: "client_secret_post"},
        {**choices, METHODS: ["x"]},
    ):
        with pytest.raises(InvalidClientMetadata):
            authentication.parse(said, PUBLIC_ONLY)


def registered(said):
    found = metadata.parse({**LEAST, **said})
    return Client(
        "me", ClientKind.DYNAMIC, "Me", found.redirect_uris, found.auth_method, (), 0, jwks=found.jwks,
        jwks_uri=found.jwks_uri, metadata=found.extra,
    )  # fmt: skip


@pytest.mark.requirement("CR-13")
@pytest.mark.parametrize(
    ("said", "algorithms"),
    [
        ({"jwks": RSA_KEYS}, ("ES256", "EdDSA", "PS256", "RS256")),
        ({"jwks": RSA_KEYS, ALG: "RS256"}, ("RS256",)),
        ({"jwks_uri": URI, ALGS: ["RS256", "ES512", "PS256"]}, ("PS256", "RS256")),
        ({"jwks": RSA_KEYS, ALGS: ["ES256", "RS256"]}, ("RS256",)),
        ({"jwks": RSA_KEYS, ALG: "ES512", ALGS: ["RS256"]}, ("RS256",)),
    ],
)
def test_an_assertion_is_signed_by_what_the_client_said_it_can(said, algorithms):
    client = registered({**BY_KEY, **said})
    assert client.signing_algorithms == algorithms
    shown = response.document(client, issuer="https://auth.example")
    assert shown.get(ALG) == (algorithms[0] if len(said) > 1 else None)
    assert (shown.get("jwks"), shown.get("jwks_uri")) == (client.jwks, client.jwks_uri)
    assert "client_secret_expires_at" not in shown


@pytest.mark.requirement("CR-12")
def test_keys_are_kept_only_where_they_are_needed():
    client = registered({METHOD: "none", "jwks_uri": URI, ALG: "x"})
    assert (client.jwks, client.jwks_uri, client.metadata) == (None, None, {})
