"""From a code to tokens: what it is bound to, and what happens when it comes twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest

from authserver.protocol import credential
from authserver.protocol.resource import Resource
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import CALENDAR, ISSUER, NOTES, Site
from tests.conformance.visitor import Visitor

from .clock import passes


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


@pytest.mark.requirement("TK-1", "TK-7")
def test_a_token_response_is_what_the_specifications_say(flow: Flow, visitor: Visitor) -> None:
    flow.register()
    flow.allow(visitor)
    answer = flow.token()
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    found = answer.json
    assert (found["token_type"], found["expires_in"], found["scope"]) == ("Bearer", 600, "notes:read")
    assert jwt.get_unverified_header(found["access_token"])["typ"] == "at+jwt"
    assert jwt.get_unverified_header(found["access_token"])["alg"] == "ES256"
    claims = claims_of(found["access_token"])
    assert claims["aud"] == NOTES.identifier
    assert (claims["iss"], claims["client_id"]) == (ISSUER, flow.values["client_id"])
    assert claims["exp"] - claims["iat"] == 600
    assert claims.keys() >= {"sub", "jti", "auth_time", "scope"}


@pytest.mark.requirement("TK-1")
@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
def test_another_signature_algorithm_can_be_chosen(site_with: Callable[..., Site], algorithm: str) -> None:
    site = site_with(access_token_algorithm=algorithm)
    token = Flow(site).tokens(Visitor(site))["access_token"]
    key = jwt.PyJWKSet.from_dict(site.get("/jwks").json)[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, key, algorithms=[algorithm], audience=NOTES.identifier)["iss"] == ISSUER


@pytest.mark.requirement("AZ-7")
@pytest.mark.parametrize(
    "wrong",
    [
        {"code_verifier": "x" * 43},
        {"redirect_uri": "http://127.0.0.1:5001/callback"},
    ],
)
def test_a_wrong_verifier_or_redirect_from_its_client_ends_the_code(
    flow: Flow, visitor: Visitor, wrong: dict[str, str]
) -> None:
    flow.register()
    flow.allow(visitor)
    refused = flow.token(**wrong)
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_grant")
    assert flow.token().json["error"] == "invalid_grant"


@pytest.mark.requirement("AZ-7")
def test_a_wrong_client_does_not_touch_the_code(site: Site, flow: Flow, visitor: Visitor) -> None:
    stranger = Flow(site)
    stranger.register()
    flow.register()
    flow.allow(visitor)
    refused = flow.token(client_id=stranger.values["client_id"])
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_grant")
    assert flow.token().status_code == 200


@pytest.mark.requirement("AZ-4", "AZ-7")
def test_a_wrong_resource_is_named_and_does_not_touch_the_code(flow: Flow, visitor: Visitor) -> None:
    flow.register()
    flow.allow(visitor)
    assert flow.token(resource=CALENDAR.identifier).json["error"] == "invalid_target"
    assert flow.token(resource="https://unknown.example/mcp").json["error"] == "invalid_target"
    assert flow.token().status_code == 200


@pytest.mark.requirement("AZ-7")
def test_an_early_repeat_is_refused_and_revokes_nothing(flow: Flow, visitor: Visitor) -> None:
    flow.tokens(visitor)
    assert flow.token().json["error"] == "invalid_grant"
    assert flow.refresh().status_code == 200


@pytest.mark.requirement("AZ-7")
def test_a_late_repeat_revokes_what_the_code_gave(site: Site, flow: Flow, visitor: Visitor) -> None:
    flow.tokens(visitor)
    passes(site, "authorization_codes", "redeemed_at", 11, digest=credential.digest(flow.values["code"]))
    assert flow.token().json["error"] == "invalid_grant"
    assert flow.refresh().json["error"] == "invalid_grant"


@pytest.mark.requirement("AZ-7")
def test_a_late_repeat_without_the_verifier_revokes_nothing(site: Site, flow: Flow, visitor: Visitor) -> None:
    flow.tokens(visitor)
    passes(site, "authorization_codes", "redeemed_at", 11, digest=credential.digest(flow.values["code"]))
    assert flow.token(code_verifier="y" * 43).json["error"] == "invalid_grant"
    assert flow.refresh().status_code == 200


@pytest.mark.requirement("AZ-7")
def test_a_code_does_not_outlive_its_minute(site: Site, flow: Flow, visitor: Visitor) -> None:
    flow.register()
    flow.allow(visitor)
    passes(site, "authorization_codes", "expires_at", 61, digest=credential.digest(flow.values["code"]))
    assert flow.token().json["error"] == "invalid_grant"


@pytest.mark.requirement("AZ-7")
def test_of_many_redemptions_at_once_one_wins_and_its_tokens_go_on_working(flow: Flow, visitor: Visitor) -> None:
    flow.register()
    flow.allow(visitor)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: flow.token(), range(24)))
    won = [answer for answer in answers if answer.status_code == 200]
    assert len(won) == 1
    assert {answer.json["error"] for answer in answers if answer is not won[0]} == {"invalid_grant"}
    assert flow.refresh(refresh_token=won[0].json["refresh_token"]).status_code == 200


@pytest.mark.requirement("AZ-1", "AZ-7")
@pytest.mark.parametrize("verifier", [None, "short", "x" * 129, "ü" * 43, "a b" * 20])
def test_a_verifier_that_is_none_is_an_invalid_request(flow: Flow, visitor: Visitor, verifier: str | None) -> None:
    flow.register()
    flow.allow(visitor)
    assert flow.token(code_verifier=verifier).json["error"] == "invalid_request"
    assert flow.token().status_code == 200


@pytest.mark.requirement("AZ-4")
@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ("http://localhost:9001/mcp", NOTES),
        ("http://localhost:9001/mcp/", NOTES),
        ("HTTP://LOCALHOST:9001/mcp", NOTES),
        ("http://localhost:9001", NOTES),
        ("http://localhost:9001/", NOTES),
        ("https://calendar.example:443/mcp", CALENDAR),
        ("https://calendar.example/sse", CALENDAR),
        (None, NOTES),
    ],
)
def test_a_resource_is_recognised_however_it_is_written(
    flow: Flow, visitor: Visitor, asked: str | None, granted: Resource
) -> None:
    flow.register()
    flow.allow(visitor, resource=asked, scope=None)
    found = flow.token(resource=asked).json
    assert claims_of(found["access_token"])["aud"] == granted.identifier


@pytest.mark.requirement("AZ-4", "AZ-3")
@pytest.mark.parametrize("asked", ["https://unknown.example/mcp", "http://localhost:9001/other", "not a uri", ISSUER])
def test_an_unknown_resource_is_an_invalid_target(flow: Flow, visitor: Visitor, asked: str) -> None:
    flow.register()
    returned = flow.allow(visitor, resource=asked)
    assert (returned["error"], returned["iss"], returned["state"]) == ("invalid_target", ISSUER, flow.values["state"])


@pytest.mark.requirement("AZ-5")
@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        (None, "notes:read"),
        ("offline_access", "notes:read"),
        ("notes:read openid profile email offline_access", "notes:read"),
        ("notes:write notes:read", "notes:read notes:write"),
        ("notes:write", "notes:write"),
    ],
)
def test_scopes_that_do_not_exist_are_dropped_and_the_granted_ones_returned(
    flow: Flow, visitor: Visitor, asked: str | None, granted: str
) -> None:
    assert flow.tokens(visitor, scope=asked)["scope"] == granted


@pytest.mark.requirement("AZ-5")
def test_a_scope_contains_what_it_implies(flow: Flow, visitor: Visitor) -> None:
    flow.register()
    flow.allow(visitor, resource=CALENDAR.identifier, scope="calendar:admin")
    found = flow.token(resource=CALENDAR.identifier).json
    assert set(found["scope"].split()) == {"calendar:read", "calendar:admin"}


@pytest.mark.requirement("AZ-5")
def test_the_scope_that_a_public_client_registered_is_no_ceiling(flow: Flow, visitor: Visitor) -> None:
    flow.register({**PUBLIC, "scope": "notes:read offline_access"})
    assert flow.tokens(visitor, scope="notes:read notes:write")["scope"] == "notes:read notes:write"


@pytest.mark.requirement("AZ-5")
def test_only_scopes_that_do_not_exist_are_refused(flow: Flow, visitor: Visitor) -> None:
    flow.register()
    returned = flow.allow(visitor, scope="no:such email")
    assert returned["error"] == "invalid_scope"
