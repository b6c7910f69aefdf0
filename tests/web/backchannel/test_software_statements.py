"""Software statements: whose word counts, and for what (RFC 7591 §2.3)."""

import base64
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from werkzeug.test import TestResponse

from authserver.services.statement_issuers import trusted
from authserver.settings import Settings, SettingsError
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import ISSUER, Site
from tests.conformance.visitor import Visitor
from tests.web.pages.test_consent_page import words

VENDOR = "https://vendor.example"
KEY, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
CALLBACK = "https://app.vendor.example/cb"
CLAIMS = {"iss": VENDOR, "client_name": "Vendor App", "redirect_uris": [CALLBACK], "software_id": "vendor-app"}
EVIL = {
    **PUBLIC,
    "client_name": "Claude",
    "redirect_uris": ["https://evil.example/cb"],
    "client_uri": "https://evil.example",
}


def jwks(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    return {"keys": [{**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "1"}]}


def signed(claims: dict[str, Any], key: Any = KEY, headers: dict[str, Any] | None = None, alg: str = "ES256") -> str:
    return jwt.encode(claims, key, algorithm=alg, headers=headers)


@pytest.fixture
def site(site_with: Any) -> Site:
    return site_with(software_statement_issuers={VENDOR: jwks(KEY)})


def register(site: Site, statement: Any, body: dict[str, Any] = EVIL) -> TestResponse:
    return site.post("/register", json={**body, "software_statement": statement})


@pytest.mark.requirement("CR-2")
def test_what_a_trusted_issuer_says_wins_over_the_clients_own_words(site: Site) -> None:
    statement = signed({**CLAIMS, "client_id": "chosen", "client_secret": "chosen"})
    answer = register(site, statement)
    assert answer.status_code == 201
    found = answer.json
    assert (found["client_name"], found["redirect_uris"]) == ("Vendor App", [CALLBACK])
    assert found["software_id"] == "vendor-app"
    assert found["software_statement"] == statement, "returned unmodified (RFC 7591 section 3.2.1)"
    assert "client_uri" not in found, "beside a name that is vouched for, nobody else's address"
    assert found["client_id"] != "chosen"
    assert "client_secret" not in found
    assert "iss" not in found


@pytest.mark.requirement("CR-2", "AZ-8")
def test_a_client_that_is_vouched_for_is_shown_as_such(site: Site) -> None:
    flow = Flow(site)
    flow.register({**PUBLIC, "software_statement": signed(CLAIMS)})
    said = words(Visitor(site).open(flow.url(redirect_uri=CALLBACK)))
    assert "vouched for" in said
    assert VENDOR in said
    assert "not verified" not in said
    page = words(Visitor(site, "root").open(f"/admin/client?id={flow.values['client_id']}"))
    assert f"Vouched for by {VENDOR}" in page


@pytest.mark.requirement("CR-2", "AZ-8")
@pytest.mark.parametrize("settled", [{"client_name"}, {"redirect_uris"}, set()])
def test_a_copied_statement_vouches_for_nobody_whose_name_or_address_it_leaves_open(
    site: Site, settled: set[str]
) -> None:
    claims = {name: value for name, value in CLAIMS.items() if name in {"iss", "software_id"} | settled}
    flow = Flow(site)
    flow.register({**EVIL, "software_statement": signed(claims)})
    page = words(Visitor(site).open(flow.url(redirect_uri=flow.client["redirect_uris"][0])))
    assert "vouched for" not in page
    assert "vouched_by" not in flow.client


@pytest.mark.requirement("CR-2")
def test_a_statement_of_somebody_unknown_is_kept_and_not_believed(site: Site) -> None:
    statement = signed({**CLAIMS, "iss": "https://unknown.example"}, OTHER)
    flow = Flow(site)
    answer = flow.register({**PUBLIC, "software_statement": statement})
    assert answer.status_code == 201
    assert answer.json["client_name"] == PUBLIC["client_name"]
    assert answer.json["software_statement"] == statement
    assert "not verified" in words(Visitor(site).open(flow.url()))


def forged(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


NOW = int(time.time())
GOOD = signed(CLAIMS)
INVALID: dict[str, Any] = {
    "number": 5,
    "empty": "",
    "list": [GOOD],
    "not a jwt": "a.b",
    "jwe": "a.b.c.d.e",
    "rubbish": "a.b.c",
    "no issuer": signed({"client_name": "X"}),
    "issuer is a list": forged({"alg": "ES256"}, {**CLAIMS, "iss": [VENDOR]}, b"x" * 64),
    "another's key": signed(CLAIMS, OTHER),
    "alg none": forged({"alg": "none"}, CLAIMS),
    "no signature": GOOD.rpartition(".")[0] + ".",
    "short signature": GOOD[:-8],
    "claims changed": forged({"alg": "ES256"}, {**CLAIMS, "client_name": "Claude"}, b"x" * 64),
    "key as a secret": signed(CLAIMS, jwks(KEY)["keys"][0]["x"], alg="HS256"),
    "own key in the header": signed(CLAIMS, OTHER, {"jwk": jwks(OTHER)["keys"][0]}),
    "another key id": signed(CLAIMS, OTHER, {"kid": "1"}),
    "an access token": signed(CLAIMS, headers={"typ": "at+jwt"}),
    "critical extension": signed(CLAIMS, headers={"crit": ["exp"]}),
    "expired": signed({**CLAIMS, "exp": NOW - 3600}),
    "not yet": signed({**CLAIMS, "nbf": NOW + 3600}),
    "from the future": signed({**CLAIMS, "iat": NOW + 3600}),
    "exp is no number": forged({"alg": "ES256"}, {**CLAIMS, "exp": "never"}, b"x" * 64),
    "too long": signed({**CLAIMS, "x": "x" * 20_000}),
    "twice": forged({"alg": "ES256"}, CLAIMS).replace(".", "..", 1),
}


@pytest.mark.requirement("CR-2")
@pytest.mark.parametrize("case", INVALID)
def test_a_statement_that_is_malformed_or_not_its_issuers_is_refused(site: Site, case: str) -> None:
    answer = register(site, INVALID[case])
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_software_statement")
    assert len(answer.json["error_description"]) > 10


@pytest.mark.requirement("CR-2")
def test_a_statement_for_another_server_is_not_approved(site: Site) -> None:
    answer = register(site, signed({**CLAIMS, "aud": ["https://other.example"]}))
    assert (answer.status_code, answer.json["error"]) == (400, "unapproved_software_statement")
    assert register(site, signed({**CLAIMS, "aud": ["https://other.example", ISSUER]})).status_code == 201
    now = int(time.time())
    assert register(site, signed({**CLAIMS, "aud": ISSUER, "exp": now + 600, "iat": now})).status_code == 201


@pytest.mark.requirement("CR-2", "CR-6")
@pytest.mark.parametrize("uris", [["javascript:alert(1)"], [], "x", [f"https://a.example/{n}" for n in range(21)]])
def test_no_statement_gets_past_the_rules_for_redirect_uris(site: Site, uris: Any) -> None:
    answer = register(site, signed({**CLAIMS, "redirect_uris": uris}))
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_redirect_uri")


@pytest.mark.requirement("CR-2", "CR-4")
def test_an_update_without_the_statement_is_vouched_for_no_longer(site: Site) -> None:
    made = register(site, signed(CLAIMS)).json
    own = {"Authorization": f"Bearer {made['registration_access_token']}"}
    changed = site.app.test_client().put(f"/register/{made['client_id']}", headers=own, json=EVIL)
    assert changed.status_code == 200
    assert not {"vouched_by", "software_statement"} & changed.json.keys()
    client = site.deployment.stores.clients.find_fresh(made["client_id"])
    assert client
    assert client.voucher is None


@pytest.mark.requirement("CR-2")
def test_nobody_vouches_for_themselves_by_a_member(site: Site) -> None:
    flow = Flow(site)
    answer = flow.register({**PUBLIC, "vouched_by": VENDOR})
    assert "vouched_by" not in answer.json
    claims = {**CLAIMS, "iss": "https://unknown.example", "vouched_by": VENDOR}
    assert "vouched_by" not in register(site, signed(claims, OTHER)).json


@pytest.mark.requirement("CR-2")
def test_the_keys_may_be_in_a_file_and_what_is_wrong_with_them_is_told_at_the_start(tmp_path: Any) -> None:
    path = tmp_path / "vendor.json"
    path.write_text(json.dumps(jwks(KEY)))
    assert trusted(Settings(software_statement_issuers={VENDOR: str(path)})).trusted[VENDOR]
    private = {"keys": [ECAlgorithm.to_jwk(KEY, as_dict=True)]}
    all_wrong: list[Any] = [str(tmp_path / "missing"), str(tmp_path), {}, {"keys": []}, private]
    for wrong in all_wrong:
        with pytest.raises(SettingsError, match=VENDOR):
            trusted(Settings(software_statement_issuers={VENDOR: wrong}))
    path.write_text("not json")
    with pytest.raises(SettingsError, match=VENDOR):
        trusted(Settings(software_statement_issuers={VENDOR: str(path)}))
