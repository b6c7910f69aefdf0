"""Prompts and resources have scopes as tools do, wherever a revision of MCP names them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_token_guard import Guard, messages
from mcp_token_guard.refusals import BodyMalformed
from mcp_token_guard.tools import ScopeRules
from tests.middleware.asgi_client import Client, tool_call
from tests.middleware.issuer import RESOURCE, Issuer

pytestmark = pytest.mark.requirement("RS-5")

RULES = ScopeRules(
    ("base",),
    {"wipe": "wipe"},
    prompts={"plan": "plan"},
    resources={"file:///public/*": (), "file:///public/inner/*": "inner", "file:///secret/*": "secret", "db://x": "x"},
)
ALL = {"base", "wipe", "plan", "inner", "secret", "x"}


def needed(method: str, **params: Any) -> set[str]:
    return set(RULES.needed(messages.parse(json.dumps(request(method, **params)).encode())))


def request(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def test_prompts_and_resources_need_the_scopes_of_their_rules() -> None:
    assert needed("prompts/get", name="plan") == {"base", "plan"}
    assert needed("prompts/get", name="other") == ALL
    assert needed("resources/read", uri="db://x") == {"base", "x"}
    assert needed("resources/read", uri="db://x/y") == ALL
    assert needed("resources/read", uri="file:///public/a") == {"base"}
    assert needed("resources/read", uri="file:///public/inner/a") == {"base", "inner"}


@pytest.mark.parametrize(
    "uri",
    [
        "file:///public/../secret/a",
        "file:///public/%2e%2e/secret/a",
        "file:///public/%252e%252e/secret/a",
        "file:///public/..\\secret/a",
        "file:///public/./../secret//a",
        "file:///secret/a",
        "file:///public/..;/secret/a",
    ],
)
def test_no_spelling_of_a_resource_is_cheaper(uri: str) -> None:
    assert "secret" in needed("resources/read", uri=uri)


def test_spellings_without_a_rule_need_all() -> None:
    for uri in ("FILE:///public/a", "file:/public/a", "/public/a", "", "file:///public", "file:///PUBLIC/a", "*"):
        assert needed("resources/read", uri=uri) == ALL


def test_a_thing_is_found_wherever_a_revision_names_it() -> None:
    secret = "file:///secret/a"
    assert needed("resources/subscribe", uri=secret) == {"base", "secret"}
    assert needed("resources/unsubscribe", uri=secret) == {"base", "secret"}
    assert needed("completion/complete", ref={"type": "ref/prompt", "name": "plan"}) == {"base", "plan"}
    assert needed("completion/complete", ref={"type": "ref/resource", "uri": secret}) == {"base", "secret"}
    listened = {"toolsListChanged": True, "resourceSubscriptions": ["db://x", secret]}
    assert needed("subscriptions/listen", notifications=listened) == {"base", "x", "secret"}
    assert needed("subscriptions/listen", notifications={}) == {"base"}


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("resources/subscribe", {}),
        ("completion/complete", {}),
        ("completion/complete", {"ref": {"type": "ref/other", "name": "plan"}}),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": 1}}),
        ("subscriptions/listen", {"notifications": []}),
        ("subscriptions/listen", {"notifications": {"resourceSubscriptions": "db://x"}}),
        ("tools/call", {"name": "wipe", "arguments": ["a"]}),
    ],
)
def test_a_thing_that_is_not_named_in_the_protocols_form_is_refused(method: str, params: dict[str, Any]) -> None:
    with pytest.raises(BodyMalformed) as caught:
        messages.parse(json.dumps(request(method, **params)).encode())
    assert caught.value.code == -32602


def test_without_rules_of_a_kind_its_things_need_the_base_set() -> None:
    rules = ScopeRules(("base",), {"wipe": "wipe"})
    for method, params in (("prompts/get", {"name": "x"}), ("resources/read", {"uri": "x"})):
        assert rules.needed(messages.parse(json.dumps(request(method, **params)).encode())) == ("base",)


async def test_one_challenge_names_all_scopes_of_a_batch_of_all_kinds(issuer: Issuer) -> None:
    guard = Guard(
        RESOURCE,
        issuer=issuer.url,
        scopes="notes:read",
        tools={"wipe": "wipe"},
        prompts={"plan": "plan"},
        resources={"db://*": "db"},
    )
    client = Client(guard)
    batch = [tool_call("wipe"), request("prompts/get", name="plan"), request("resources/read", uri="db://x")]
    answer = await client.send(body=batch, token=issuer.token())
    assert answer.status == 403
    assert 'scope="notes:read wipe plan db"' in answer.headers["www-authenticate"]
    token = issuer.token(scope="notes:read wipe plan db")
    assert (await client.send(body=batch, token=token)).status == 200


ANY = st.recursive(
    st.none() | st.integers() | st.text(max_size=5), lambda each: st.lists(each, max_size=3), max_leaves=5
)
SECRET = st.just("file:///secret/a")
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "uri": SECRET | ANY,
        "name": st.just("plan") | ANY,
        "ref": st.fixed_dictionaries(
            {}, optional={"type": st.sampled_from(["ref/prompt", "ref/resource"]) | ANY, "uri": SECRET, "name": ANY}
        )
        | ANY,
        "notifications": st.fixed_dictionaries({}, optional={"resourceSubscriptions": st.lists(SECRET | ANY) | ANY})
        | ANY,
        "arguments": ANY | st.dictionaries(st.text(max_size=3), ANY, max_size=2),
    },
)
METHODS = st.sampled_from(["resources/read", "resources/subscribe", "completion/complete", "subscriptions/listen"])


@given(METHODS, PARAMS | ANY)
def test_no_secret_is_asked_for_unseen(method: str, params: Any) -> None:
    """Whatever a server would read as asking for the secret, the guard either refuses or asks its scope for."""
    try:
        asked = messages.parse(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode())
    except BodyMalformed as refusal:
        assert refusal.message.isprintable()
        return
    assert ("secret" in RULES.needed(asked)) >= _asks_for_secret(method, params)


def _asks_for_secret(method: str, params: Any) -> bool:
    if not isinstance(params, dict):
        return False
    secret = "file:///secret/a"
    if method == "completion/complete":
        reference = params.get("ref")
        return isinstance(reference, dict) and (reference.get("type"), reference.get("uri")) == ("ref/resource", secret)
    if method == "subscriptions/listen":
        wanted = params.get("notifications")
        return isinstance(wanted, dict) and secret in (wanted.get("resourceSubscriptions") or [])
    return params.get("uri") == secret
