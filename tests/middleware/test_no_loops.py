"""Whoever gets what a challenge asks for gets through: no client asks its user in vain, or twice for one request."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from mcp_token_guard import Guard
from mcp_token_guard.findings import Finding
from mcp_token_guard.limits import Breach, from_claim
from mcp_token_guard.messages import Message
from tests.middleware.asgi_client import Answer, Client, tool_call
from tests.middleware.granting import CHALLENGE, Granting, key_file
from tests.middleware.issuer import RESOURCE, Issuer
from tests.middleware.test_tool_challenges import IN_WORK, scope

pytestmark = pytest.mark.requirement("EX-7", "RS-3", "RS-5")

VALUES: st.SearchStrategy[Any] = (
    st.text(max_size=5) | st.integers() | st.booleans() | st.none() | st.floats() | st.just([]) | st.just({})
)
ARGUMENTS = st.dictionaries(st.text(max_size=5), VALUES, max_size=5)
TOOLS = st.sampled_from(["look", "edit", "wipe"])
SCOPES = st.sampled_from(["notes:read", "notes:read notes:wipe", "notes:edit notes:wipe", ""])
LIMITS: list[dict[str, Any]] = [{}, {"limits": {}}, {"limits": IN_WORK}]
DETAILS = st.lists(st.tuples(TOOLS, st.sampled_from(LIMITS), st.booleans()), max_size=3)
CALLS = st.builds(
    lambda tool, path: tool_call(tool, **({} if path is None else {"path": path})),
    TOOLS | st.sampled_from(["odd=name", "look:once"]),
    st.sampled_from([None, "/work/a", "/etc", 0.5]),
)
REQUESTS = CALLS | st.lists(CALLS | st.just({"jsonrpc": "2.0", "id": 1, "method": "ping"}), min_size=1, max_size=3)


@given(ARGUMENTS, ARGUMENTS)
def test_what_is_asked_for_lets_just_this_call_through(arguments: dict[str, Any], others: dict[str, Any]) -> None:
    call = Message("tools/call", "look", 1, is_request=True, arguments=arguments)
    remedy = Finding(call, Breach("look", "/path", "may be nothing")).remedy(RESOURCE)
    if remedy is not None:
        granted = from_claim([remedy], RESOURCE)
        assert granted.breach("look", arguments) is None
        assert granted.breach("look", others) or repr(sorted(others.items())) == repr(sorted(arguments.items()))
        assert granted.breach("wipe", arguments)


@pytest.fixture
def granting(issuer: Issuer) -> Granting:
    return Granting(issuer, RESOURCE)


@pytest.fixture
def guard(issuer: Issuer, tmp_path: Path) -> Guard:
    """One for which a minute is over at each look."""
    minutes = itertools.count(0, 61)
    guard = Guard(
        RESOURCE,
        issuer=issuer.url,
        scopes="notes:read",
        tools={"look": (), "edit": "notes:edit", "wipe": "notes:wipe"},
        default=(),
        once="wipe",
        identity=key_file(tmp_path),
    )
    guard.remedies._clock = lambda: next(minutes)
    return guard


def test_whoever_gets_what_a_challenge_asks_for_gets_through(guard: Guard, granting: Granting) -> None:
    issuer = granting.issuer

    @settings(max_examples=200)
    @given(DETAILS | st.none(), SCOPES, REQUESTS, st.booleans())
    def stepping_up(details: Any, granted: str, request: Any, is_willing: bool) -> None:
        granting.waiting.clear()
        issuer.statuses[CHALLENGE] = 200 if is_willing else 400
        held = [(granting.once if once else granting.detail)(tool, **limits) for tool, limits, once in details or ()]
        token = issuer.token(scope=granted, authorization_details=None if details is None else held)
        answer = _send(guard, request, token)
        event(f"{answer.status} {'www-authenticate' in answer.headers}")
        if "www-authenticate" in answer.headers:
            asked = scope(answer).split()
            held += granting.meant(asked)
            wider = granting.token(*held, scope=" ".join([granted, *asked]))
            assert _send(guard, request, wider if held else issuer.token(scope=" ".join(asked))).status == 200

    stepping_up()


def test_a_client_for_itself_is_challenged_by_real_scopes_and_no_second_time(guard: Guard, granting: Granting) -> None:
    @given(DETAILS, SCOPES, REQUESTS)
    def asking(details: Any, granted: str, request: Any) -> None:
        held = [granting.detail(tool, **limits) for tool, limits, _ in details]

        def ask(scopes: str) -> Answer:
            return _send(guard, request, granting.token(*held, scope=scopes, sub="job", jti="client.x"))

        answer = ask(granted)
        if "www-authenticate" in answer.headers:
            asked = scope(answer)
            assert "tool:" not in asked
            assert "limit:" not in asked
            assert "www-authenticate" not in ask(f"{granted} {asked}").headers

    asking()
    assert not granting.posted(CHALLENGE)


def _send(guard: Guard, request: Any, token: str) -> Answer:
    return asyncio.run(Client(guard).send(body=request, token=token))
