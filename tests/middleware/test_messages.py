"""A body is read in one way only: what another reader could take for a call is refused."""

import json

import pytest

from mcp_token_guard import messages
from mcp_token_guard.refusals import BodyMalformed

pytestmark = pytest.mark.requirement("RS-5")

CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "delete_note", "arguments": {}}}

COMPLETE = {"jsonrpc": "2.0", "id": 1, "method": "completion/complete"}


@pytest.mark.parametrize(
    "body",
    [
        {"Method": "tools/call", "params": CALL["params"]},
        {**CALL, "METHOD": "ping"},
        {**CALL, "Params": {"name": "list_notes"}},
        {**CALL, "params": {"name": "list_notes", "Name": "delete_note"}},
        {**COMPLETE, "params": {"ref": {"type": "ref/prompt", "name": "plan", "Name": "secret"}}},
        {**COMPLETE, "params": {"ref": {"type": "ref/prompt", "name": "plan", "TYPE": "ref/resource", "uri": "a:b"}}},
        {**COMPLETE, "method": "subscriptions/listen", "params": {"notifications": {"resourcesubscriptions": ["a:b"]}}},
        {"jsonrpc": "2.0", "id": 1},
        {},
        [CALL, {"Method": "tools/call", "params": CALL["params"]}],
    ],
)
@pytest.mark.parametrize("read", [messages.parse, messages.find])
def test_a_message_that_readers_could_differ_about_is_refused(body, read):
    if read is messages.find and body in ({}, {"jsonrpc": "2.0", "id": 1}):
        assert read(json.dumps(body).encode()) == (), "elsewhere than at the endpoint it need not be JSON-RPC"
        return
    with pytest.raises(BodyMalformed):
        read(json.dumps(body).encode())


@pytest.mark.parametrize("body", [CALL, {"jsonrpc": "2.0", "id": 1, "result": {}}, {"id": 1, "error": {"code": 1}}])
def test_calls_results_and_errors_pass(body):
    assert len(messages.parse(json.dumps(body).encode())) == 1


def test_the_arguments_of_a_call_are_the_tools_own():
    call = {**CALL, "params": {"name": "write_note", "arguments": {"Name": "a", "METHOD": "b"}}}
    assert messages.parse(json.dumps(call).encode())[0].name == "write_note"
