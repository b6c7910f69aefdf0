"""The guard as itself: its key file, its proof, and the endpoints it goes to."""

from pathlib import Path
from urllib.parse import parse_qs

import jwt
import pytest

from mcp_token_guard import Guard
from mcp_token_guard.fetch import FetchError
from mcp_token_guard.identity import ASSERTION_TYPE
from tests.middleware.granting import key_file
from tests.middleware.issuer import RESOURCE, Issuer, es256, private_jwk

pytestmark = pytest.mark.requirement("RS-11")
ENDPOINT = "introspection_endpoint"


def guard_with(issuer: Issuer, file: Path) -> Guard:
    return Guard(RESOURCE, issuer=issuer.url, scopes=["notes:read"], identity=file)


async def test_it_proves_itself_anew_at_each_request(issuer: Issuer, tmp_path: Path):
    issuer.metadata[ENDPOINT] = f"{issuer.url}/introspect"
    issuer.answers["/introspect"] = {"active": False}
    guard = guard_with(issuer, key_file(tmp_path))
    for _ in range(2):
        assert await guard.as_itself.say(ENDPOINT, {"token": "t"}) == (200, {"active": False})
    claims = []
    public = jwt.PyJWK(es256("guard").jwk)
    for path, body in issuer.received:
        form = parse_qs(body.decode())
        assert (path, form["token"], form["client_assertion_type"]) == ("/introspect", ["t"], [ASSERTION_TYPE])
        claims.append(jwt.decode(form["client_assertion"][0], public, ["ES256"], audience=issuer.url, issuer="guard"))
    assert claims[0]["sub"] == "guard"
    assert claims[0]["jti"] != claims[1]["jti"]
    assert claims[0]["exp"] - claims[0]["iat"] == 60


async def test_an_endpoint_that_is_not_named_or_not_safe_is_not_called(issuer: Issuer, tmp_path: Path):
    guard = guard_with(issuer, key_file(tmp_path))
    with pytest.raises(FetchError, match="has no introspection_endpoint"):
        await guard.as_itself.say(ENDPOINT, {})
    issuer.metadata[ENDPOINT] = "http://elsewhere.example/introspect"
    with pytest.raises(FetchError, match="must be https"):
        await guard_with(issuer, tmp_path / "guard.jwk").as_itself.say(ENDPOINT, {})


async def test_an_answer_that_is_no_object_is_no_answer(issuer: Issuer, tmp_path: Path):
    issuer.metadata[ENDPOINT] = f"{issuer.url}/introspect"
    issuer.answers["/introspect"] = ["active"]
    with pytest.raises(FetchError, match="without a JSON object"):
        await guard_with(issuer, key_file(tmp_path)).as_itself.say(ENDPOINT, {})


@pytest.mark.parametrize("changes", [{"client_id": None}, {"client_id": 1}, {"d": None}, {"crv": "P-0"}, {"x": "!"}])
def test_a_file_that_is_no_key_stops_the_start_and_is_not_quoted(issuer: Issuer, tmp_path: Path, changes):
    file = key_file(tmp_path, **changes)
    secret = private_jwk(es256("guard"))["d"]
    with pytest.raises(ValueError, match="guard") as refused:
        guard_with(issuer, file)
    assert secret not in str(refused.value)
    with pytest.raises(ValueError, match="cannot be read"):
        guard_with(issuer, tmp_path / "missing")


def test_the_key_is_in_no_text_of_the_guard(issuer: Issuer, tmp_path: Path):
    guard = guard_with(issuer, key_file(tmp_path))
    secret = private_jwk(es256("guard"))["d"]
    assert secret not in repr(guard) + repr(guard.as_itself) + repr(guard.as_itself._identity)
