"""What a challenge names, the issuer was told of and knows: what it does not know, it would never ask a person."""

from typing import Any

import pytest

from mcp_token_guard import Guard
from tests.middleware.asgi_client import Client, tool_call
from tests.middleware.granting import CHALLENGE, key_file
from tests.middleware.issuer import RESOURCE
from tests.middleware.test_receipts import receipts
from tests.middleware.test_tool_challenges import IN_WORK, client, granting, scope

__all__ = ["client", "granting"]
pytestmark = pytest.mark.requirement("EX-7", "RS-3", "RS-5")


async def test_what_a_challenge_names_is_announced_each_time(client, granting) -> None:
    token = granting.token(granting.detail("read_note"), granting.detail("write_note"))
    for _ in range(2):
        assert scope(await client.call("wipe", token=token)) == "notes:read notes:wipe tool:wipe"
    assert granting.announced == ["wipe"] * 2
    assert scope(await client.call("write_note", token=token)) == "notes:read notes:write tool:write_note"
    assert granting.announced[2:] == ["write_note"], "also where a real scope alone is missing"


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, {}),
        (200, {"scope": "tool:wip"}),
        (200, {"scope": "tool:wipe:once"}),
        (200, {"scope": ["tool:wipe"]}),
        (200, {"scope": "limit:" + "a" * 30}),
        (200, []),
        (201, {"scope": "tool:wipe"}),
        (400, {"error": "invalid_request"}),
        (500, {"scope": "tool:wipe"}),
        (0, {}),
    ],
)
async def test_what_the_issuer_does_not_know_is_refused_in_words(client, granting, status, answer) -> None:
    granting.issuer.answers[CHALLENGE] = answer
    granting.issuer.statuses[CHALLENGE] = status
    for token in (granting.token(granting.detail("read_note")), granting.token(scope="notes:read notes:wipe")):
        refused = await client.call("wipe", token=token)
        assert (refused.status, "www-authenticate" in refused.headers) == (403, False)
        assert refused.error["data"]["limit"] == "is of a tool that was not allowed"
    batch = [tool_call("wipe"), tool_call("read_note", 2)]
    assert "www-authenticate" not in (await client.send(body=batch, token=granting.token())).headers
    assert granting.posted(CHALLENGE) == 3, "after the first no, nothing more is asked"


@pytest.mark.parametrize("jti", [None, 7])
async def test_a_token_without_a_name_is_refused_in_words(client, granting, jti) -> None:
    assert "www-authenticate" not in (await client.call("wipe", token=granting.token(jti=jti))).headers
    assert not granting.issuer.received


async def test_an_issuer_without_the_endpoint_is_never_asked(client, granting) -> None:
    del granting.issuer.metadata["tool_challenge_endpoint"]
    assert "www-authenticate" not in (await client.call("wipe", token=granting.token())).headers
    assert not granting.issuer.received


async def test_where_only_real_scopes_are_missing_they_are_asked_for_whatever_the_issuer_says(client, granting) -> None:
    granting.issuer.answers[CHALLENGE] = {"error": "server_error"}
    answer = await client.call("wipe", token=granting.token(granting.detail("wipe")))
    assert scope(answer) == "notes:read notes:wipe"


async def test_a_guard_without_an_identity_challenges_by_names(issuer, granting) -> None:
    client = Client(Guard(RESOURCE, issuer=issuer.url, scopes="notes:read"))
    assert scope(await client.call("wipe", token=granting.token())) == "notes:read tool:wipe"
    assert not issuer.received


async def test_a_client_for_itself_is_told_of_real_scopes_alone(client, granting) -> None:
    def token(*details: dict[str, Any], granted: str = "notes:read") -> str:
        return granting.token(*details, sub="job", client_id="job", jti="client.x", scope=granted)

    limited = granting.detail("read_note", limits=IN_WORK)
    for details in ([], [limited], [granting.detail("wipe")]):
        assert scope(await client.call("wipe", token=token(*details))) == "notes:read notes:wipe"
    outside = tool_call("read_note", path="/etc")
    assert scope(await client.send(body=[outside, tool_call("wipe", 2)], token=token(limited))) == (
        "notes:read notes:wipe"
    )
    for call in (outside, tool_call("wipe"), [outside, tool_call("wipe", 2)]):
        answer = await client.send(body=call, token=token(limited, granted="notes:read notes:wipe"))
        assert (answer.status, "www-authenticate" in answer.headers) == (403, False)
        assert answer.error["data"]["limit"]
    assert (await client.send(body=tool_call("read_note", path="/work/a"), token=token(limited))).status == 200
    assert not granting.issuer.received


async def test_a_client_for_itself_gets_no_permission_for_single_calls(issuer, granting, tmp_path, caplog) -> None:
    caplog.set_level("INFO", "mcp_token_guard.calls")
    identity = key_file(tmp_path)
    alone = Client(Guard(RESOURCE, issuer=issuer.url, scopes="notes:read", once="wipe", identity=identity))
    for details in ([], [granting.detail("wipe")]):
        token = granting.token(*details, sub="job", client_id="job", jti="client.x")
        answer = await alone.call("wipe", token=token)
        assert (answer.status, "www-authenticate" in answer.headers) == (403, False)
    assert {receipt["outcome"] for receipt in receipts(caplog)} == {"refused 403, one-time permission needed"}
    assert not issuer.received
