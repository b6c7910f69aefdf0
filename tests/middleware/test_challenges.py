"""What a refused client is told: the right status, one complete challenge, and nothing it could not parse."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_token_guard import Guard
from mcp_token_guard.challenge import Challenges, quoted
from mcp_token_guard.refusals import RequestMalformed, ScopeInsufficient, TokenRefused
from tests.middleware.asgi_client import Client, tool_call
from tests.middleware.issuer import RESOURCE, Issuer, es256

METADATA_URL = "http://localhost:9001/.well-known/oauth-protected-resource/mcp"
PARAMETER = re.compile(r'([a-z_]+)="([^"\\]*)"(?:, |$)')


def parsed(challenge: str) -> dict[str, str]:
    """The parameters of a Bearer challenge, which must hold nothing else."""
    assert challenge.startswith("Bearer ")
    rest = challenge.removeprefix("Bearer ")
    assert "".join(match[0] for match in PARAMETER.finditer(rest)) == rest
    return dict(PARAMETER.findall(rest))


@pytest.mark.requirement("RS-3")
@pytest.mark.parametrize("authorization", [None, "Basic YTpi", "DPoP abc", "", "Negotiate"])
async def test_without_a_token_the_challenge_has_no_error(client: Client, authorization: str | None) -> None:
    headers = [] if authorization is None else [("Authorization", authorization)]
    answer = await client.call("read_note", headers=headers)
    assert answer.status == 401
    assert parsed(answer.headers["www-authenticate"]) == {
        "resource_metadata": METADATA_URL,
        "scope": "notes:read",
    }
    assert answer.error["code"] == 401
    assert answer.headers["cache-control"] == "no-store"
    assert not client.app.calls


@pytest.mark.requirement("RS-3")
async def test_a_refused_token_is_an_invalid_token(client: Client, issuer: Issuer) -> None:
    for token in (issuer.token(exp=1), issuer.token(es256("stranger")), "rubbish", issuer.token(aud="other")):
        answer = await client.call("read_note", token=token)
        assert answer.status == 401
        challenge = parsed(answer.headers["www-authenticate"])
        assert challenge["error"] == "invalid_token"
        assert (challenge["scope"], challenge["resource_metadata"]) == ("notes:read", METADATA_URL)
        assert token not in answer.headers["www-authenticate"]
        assert answer.error["data"]["error"] == "invalid_token"
    assert not client.app.calls


@pytest.mark.requirement("RS-3", "RS-5")
async def test_all_scopes_of_an_operation_are_in_one_challenge(client: Client, issuer: Issuer) -> None:
    answer = await client.call("delete_note", token=issuer.token(scope=""))
    assert answer.status == 403
    challenge = parsed(answer.headers["www-authenticate"])
    assert challenge["error"] == "insufficient_scope"
    assert challenge["scope"].split() == ["notes:read", "notes:delete", "notes:write"]
    assert challenge["resource_metadata"] == METADATA_URL
    assert answer.error == {
        "code": 403,
        "message": "the token lacks a scope that this needs",
        "data": {"error": "insufficient_scope", "scope": "notes:read notes:delete notes:write"},
    }
    assert not client.app.calls


@pytest.mark.requirement("RS-3")
async def test_a_refused_call_is_answered_under_its_own_id(client: Client, issuer: Issuer) -> None:
    for identifier in (7, "seven", None):
        body = tool_call("write_note", identifier)
        answer = await client.send(token=issuer.token(), body=body)
        assert answer.status == 403
        assert answer.body.startswith(b'{"jsonrpc": "2.0", "id": ')
        assert b'"id": null' in answer.body if identifier is None else f"{identifier}".encode() in answer.body


@pytest.mark.requirement("RS-2", "RS-3")
@pytest.mark.parametrize("query", [b"access_token=%s", b"a=1&access_token=%s", b"%%61ccess_token=%s", b"access_token="])
@pytest.mark.parametrize("also_in_header", [False, True])
async def test_a_token_in_the_url_is_refused(
    client: Client, issuer: Issuer, query: bytes, also_in_header: bool
) -> None:
    token = issuer.token()
    asked = query.replace(b"%s", token.encode()).replace(b"%%", b"%")
    answer = await client.call("read_note", query=asked, token=token if also_in_header else None)
    assert answer.status == 400
    assert parsed(answer.headers["www-authenticate"])["error"] == "invalid_request"
    assert not client.app.calls


@pytest.mark.requirement("RS-2")
async def test_a_token_in_a_form_is_refused(client: Client, issuer: Issuer) -> None:
    form = f"access_token={issuer.token()}".encode()
    headers = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
    assert (await client.send(body=form, headers=headers)).status == 401
    answer = await client.send(body=form, headers=headers, token=issuer.token())
    assert answer.status == 400
    assert parsed(answer.headers["www-authenticate"])["error"] == "invalid_request"
    assert not client.app.calls


@pytest.mark.requirement("RS-2", "RS-3")
async def test_two_authorization_headers_are_refused(client: Client, issuer: Issuer) -> None:
    good = f"Bearer {issuer.token()}"
    for other in (good, "Bearer x", "Basic YTpi"):
        answer = await client.call("read_note", headers=[("Authorization", good), ("Authorization", other)])
        assert answer.status == 400
    assert not client.app.calls


@pytest.mark.requirement("RS-3")
@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", 'Bearer "a"', "bearer é", "Bearer =="]
)
async def test_a_malformed_header_is_an_invalid_request(client: Client, value: str) -> None:
    answer = await client.call("read_note", headers=[("Authorization", value)])
    assert answer.status == 400
    assert parsed(answer.headers["www-authenticate"])["error"] == "invalid_request"


@pytest.mark.requirement("RS-2")
async def test_the_scheme_is_read_whatever_its_case(client: Client, issuer: Issuer) -> None:
    for scheme in ("bearer", "BEARER", "Bearer  "):
        headers = [("Authorization", f"{scheme} {issuer.token()}")]
        assert (await client.call("read_note", headers=headers)).status == 200


@pytest.mark.requirement("RS-3")
@given(st.text())
def test_no_text_escapes_its_quotes(text: str) -> None:
    value = quoted(text)
    assert value.isascii()
    assert value.isprintable()
    assert value[0] == value[-1] == '"'
    assert not set('"\\') & set(value[1:-1])
    assert len(value) == len(text) + 2


SCOPE = st.text(sorted(set(string.printable[:94]) - set('"\\')), min_size=1, max_size=8)


@pytest.mark.requirement("RS-3")
@given(st.text(), st.lists(SCOPE, min_size=1, max_size=5))
def test_every_challenge_can_be_parsed_whatever_it_says(text: str, scopes: list[str]) -> None:
    challenges = Challenges(METADATA_URL, tuple(scopes))
    for refusal in (TokenRefused(text), ScopeInsufficient(text, tuple(scopes)), RequestMalformed(text)):
        headers = dict(challenges.reply(refusal).headers)
        challenge = parsed(headers[b"www-authenticate"].decode())
        assert challenge["resource_metadata"] == METADATA_URL
        if not isinstance(refusal, RequestMalformed):
            assert challenge["scope"] == " ".join(scopes)


@pytest.mark.requirement("RS-3")
async def test_a_server_without_base_scopes_asks_for_none(issuer: Issuer) -> None:
    client = Client(Guard(RESOURCE, issuer=issuer.url, scopes=()))
    answer = await client.call("anything")
    assert parsed(answer.headers["www-authenticate"]) == {"resource_metadata": METADATA_URL}
    assert (await client.call("anything", token=issuer.token(scope=None))).status == 200
