"""The command line on the tools of MCP servers: sync, diff, agree and tool, from files."""

import json

import pytest

URL = "https://notes.example/mcp"
SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}}
READ = {"name": "read_note", "description": "Reads.", "inputSchema": SCHEMA, "annotations": {"readOnlyHint": True}}
DELETE = {"name": "delete_note", "title": "Delete a note", "inputSchema": SCHEMA}


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "tools.json"

    def write(*tools, **more):
        made.write_text(json.dumps({"tools": tools, **more}))
        return str(made)

    return write


@pytest.fixture
def notes(run):
    assert run("resource", "add", URL, "--name", "Notes", "--scope", "notes:read=See notes").exit_code == 0
    return run


def drift(run, file):
    found = run("resource", "diff", URL, "--from", file, "--json")
    return found.exit_code, {one["name"]: one for one in json.loads(found.output)["drift"]}


@pytest.mark.requirement("AZ-8")
def test_a_plan_is_shown_and_saved_only_when_asked_to(notes, file):
    listed = file(READ, DELETE)
    shown = notes("resource", "sync", URL, "--from", listed)
    assert shown.exit_code == 0
    assert "+ scope notes:delete (destructive)" in shown.output
    assert "+ read_note" in shown.output
    assert "nothing was saved" in shown.output
    assert "notes:delete" not in notes("resource", "list").output
    assert "saved" in notes("resource", "sync", URL, "--from", listed, "--yes").output
    assert "notes:delete" in notes("resource", "list").output
    assert "nothing to do" in notes("resource", "sync", URL, "--from", listed, "--yes").output
    assert drift(notes, listed) == (0, {})


@pytest.mark.requirement("AZ-8")
def test_a_new_tool_under_a_scope_that_people_hold_waits_and_one_under_a_new_scope_does_not(notes, file):
    shown = notes("resource", "sync", URL, "--from", file(READ, DELETE), "--yes").output
    (read,) = [line for line in shown.splitlines() if "opened by notes:read" in line]
    (delete,) = [line for line in shown.splitlines() if "opened by notes:delete" in line]
    assert "waits to be agreed to" in read
    assert "waits" not in delete
    assert notes("resource", "agree", URL, "delete_note").exit_code == 1
    assert notes("resource", "agree", URL, "read_note").exit_code == 0
    assert notes("resource", "agree", URL, "read_note").exit_code == 1
    assert notes("resource", "agree", URL).exit_code == 2


@pytest.mark.requirement("AZ-8")
def test_drift_names_what_changed_and_is_the_exit_status(notes, file):
    notes("resource", "sync", URL, "--from", file(READ, DELETE), "--agree")
    changed = {**READ, "description": "Reads, and more.", "inputSchema": {}, "annotations": {"openWorldHint": False}}
    status, found = drift(notes, file(changed, {"name": "send_note"}))
    assert status == 1
    assert found["read_note"]["members"] == [
        "description",
        "read_only: yes → no",
        "open_world: yes → no",
        "input schema",
    ]
    assert {name: one["kind"] for name, one in found.items()} == {
        "read_note": "changed", "delete_note": "removed", "send_note": "added",
    }  # fmt: skip
    said = notes("resource", "sync", URL, "--from", file(changed, DELETE), "--yes").output
    assert "read_note may be destructive, and is opened by notes:read, which people know as read" in said
    assert "agreed to 1" in notes("resource", "agree", URL, "--all").output


@pytest.mark.requirement("AZ-8")
def test_the_administrators_word_stays_over_what_the_server_says(notes, file):
    notes("resource", "sync", URL, "--from", file(DELETE), "--agree")
    said = notes("resource", "tool", URL, "delete_note", "--title", "Throw away", "--risk", "write")
    assert said.output == "delete_note: write, opened by notes:delete\n"
    shown = notes("resource", "sync", URL, "--from", file({**DELETE, "title": "Nothing to see"}), "--yes").output
    assert "~ delete_note: title" in shown
    assert "Throw away – write, opened by notes:delete, administrator's word; waits to be agreed to" in shown


def test_a_tool_that_comes_back_is_not_what_it_was(notes, file):
    notes("resource", "sync", URL, "--from", file(DELETE), "--agree")
    notes("resource", "sync", URL, "--from", file(READ), "--yes")
    shown = notes("resource", "sync", URL, "--from", file(READ, DELETE), "--yes").output
    assert "+ delete_note: returned" in shown
    assert "waits to be agreed to" in shown
    notes("resource", "sync", URL, "--from", file(READ), "--yes", "--prune")
    assert drift(notes, file(READ, DELETE))[1]["delete_note"]["kind"] == "added"


def test_the_whole_answer_will_do_as_well_as_its_result(notes, tmp_path):
    whole = tmp_path / "answer.json"
    whole.write_text(json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"tools": [READ]}}))
    assert drift(notes, str(whole))[0] == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"), ("[]", "not JSON"), ("{}", "no list of tools"), ('{"tools": {}}', "no list of tools"),
        ('{"tools": [1]}', "a tool is a JSON object"), ('{"tools": [], "nextCursor": "a"}', "several pages"),
        ('{"tools": [], "tools": []}', "not JSON"), ('{"tools": [{"name": "a"}, {"name": "a"}]}', "lists a twice"),
        ('{"tools": ' + "[" * 100_000, "not JSON"),
        (json.dumps({"tools": [{"name": f"t{n}"} for n in range(5000)]}), "1000"),
        (" " * 10_000_000, "larger than"),
        ('{"tools": [{"name": "a", "inputSchema": ' + '{"a":' * 900 + "1" + "}" * 900 + "}]}", ""),
    ],
)  # fmt: skip
def test_what_is_no_list_of_tools_is_refused_in_words(notes, tmp_path, text, words):
    bad = tmp_path / "bad.json"
    bad.write_text(text)
    refused = notes("resource", "sync", URL, "--from", str(bad), "--yes")
    assert words in refused.output
    assert "Traceback" not in refused.output
    assert refused.exception is None or isinstance(refused.exception, SystemExit)
    assert refused.exit_code == (1 if words else 0)


def test_words_of_a_server_do_nothing_in_a_terminal(notes, file):
    nasty = {"name": "n", "title": "a\x1b[2Jb\u202ec", "description": "x\ny\x00z\u200b" + "w" * 9000}
    shown = notes("resource", "sync", URL, "--from", file(nasty), "--yes").output
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "a[2Jbc" in shown
    assert max(map(len, shown.splitlines())) < 2100


def test_names_that_are_none_are_left_out_and_names_that_look_alike_are_told(notes, file):
    shown = notes(
        "resource", "sync", URL, "--from", file(READ, {"name": "read-note"}, {"name": "а b"}, {}), "--yes"
    ).output
    assert "2 of its tools left out" in shown
    assert "names that look alike: read_note, read-note" in shown


def test_a_name_that_sounds_like_more_than_it_claims_is_told_and_placed_by_the_worse(notes, file):
    shown = notes("resource", "sync", URL, "--from", file({**READ, "name": "wipe_disk"})).output
    assert "wipe_disk claims to read only" in shown
    assert "destructive, opened by notes:delete" in shown


def test_a_server_that_is_not_registered_is_told(run, file):
    for command in (["sync"], ["diff"]):
        assert "not registered" in run("resource", *command, URL, "--from", file(READ)).output
    assert run("resource", "tool", URL, "x").exit_code == 1


def test_a_tool_is_opened_by_scopes_of_its_server_only(notes):
    assert notes("resource", "tool", URL, "x", "--scope", "other:read").exit_code == 1
    assert notes("resource", "tool", URL, "x").exit_code == 1
    assert notes("resource", "tool", URL, "x", "--scope", "notes:read", "--title", "X").exit_code == 0


@pytest.mark.requirement("CR-11")
def test_a_file_without_tools_leaves_them_and_one_with_them_is_the_administrators_word(notes, file, tmp_path):
    notes("resource", "sync", URL, "--from", file(READ), "--yes")
    server = (
        'resources: [{url: "https://notes.example/mcp", name: Notes, scopes: [{name: "notes:read", description: R}]'
    )
    wanted = tmp_path / "wanted.yaml"
    wanted.write_text(server + "}]")
    assert notes("apply", str(wanted)).exit_code == 0
    assert drift(notes, file(READ)) == (0, {})
    wanted.write_text(server + ', tools: [{name: read_note, title: Look, scopes: ["notes:read"], risk: read}]}]')
    assert "in the server's words" in notes("apply", str(wanted)).output
    assert notes("apply", str(wanted)).output == "nothing to do\n"
    assert drift(notes, file(READ)) == (0, {})
    assert notes("resource", "agree", URL, "read_note").exit_code == 0
    shown = notes("resource", "sync", URL, "--from", file({**READ, "title": "Other"})).output
    assert "Look – read, opened by notes:read, administrator's word; waits" in shown


@pytest.mark.requirement("EX-7")
def test_an_administrator_limits_a_tool_for_everybody_and_lifts_the_limit(notes, file, tmp_path):
    notes("resource", "sync", URL, "--from", file(READ), "--agree")
    assert notes("resource", "limit", URL, "read_note", '{"/title": {"values": ["a"]}}').exit_code == 0
    notes("resource", "sync", URL, "--from", file({**READ, "title": "Other"}), "--agree")
    wanted = tmp_path / "wanted.yaml"
    wanted.write_text(
        f'resources: [{{url: "{URL}", name: Notes, scopes: [{{name: "notes:read", description: See notes}}],'
        ' tools: [{name: read_note, scopes: ["notes:read"], limits: {/title: {values: [a, b]}}}]}]'
    )
    said = notes("apply", str(wanted)).output
    assert 'limited to {"/title":{"values":["a"]}}' in said
    assert 'limited to {"/title":{"values":["a","b"]}}' in said
    assert notes("resource", "limit", URL, "read_note", "--none").output == "read_note: any arguments\n"


@pytest.mark.requirement("CR-11", "EX-7")
def test_a_file_lifts_no_limit_that_it_is_silent_about(notes, file, tmp_path):
    notes("resource", "sync", URL, "--from", file(READ), "--agree")
    notes("resource", "limit", URL, "read_note", '{"/title": {"values": ["a"]}}')
    wanted = tmp_path / "wanted.yaml"

    def applied(more: str) -> str:
        wanted.write_text(
            f'resources: [{{url: "{URL}", name: Notes, scopes: [{{name: "notes:read", description: See notes}}],'
            f' tools: [{{name: read_note, scopes: ["notes:read"], title: Look{more}}}]}}]'
        )
        return notes("apply", str(wanted)).output

    assert applied("").count('limited to {"/title":{"values":["a"]}}') == 2
    assert applied("") == "nothing to do\n"
    assert "additional is about arguments" in applied(", additional: true")
    lifted = applied(", limits: null")
    assert lifted.count("limited to") == 1
    assert applied(", limits: null") == applied("") == "nothing to do\n"


@pytest.mark.requirement("EX-7")
@pytest.mark.parametrize(
    "given",
    [
        ("read_note", "no JSON"),
        ("read_note", '{"path": {}}'),
        ("read_note", '{"/path": {"under": [".."]}}'),
        ("read_note", "[]"),
        ("unknown", "{}"),
        ("read_note",),
        ("read_note", "{}", "--none"),
    ],
)
def test_a_limit_that_is_none_changes_nothing_and_is_told(notes, file, given):
    notes("resource", "sync", URL, "--from", file(READ), "--agree")
    answer = notes("resource", "limit", URL, *given)
    assert answer.exit_code in {1, 2}
    assert answer.output.strip()


@pytest.mark.requirement("TK-2")
def test_the_format_of_tokens_is_chosen_and_told(notes, tmp_path):
    assert "opaque" not in notes("resource", "list").output
    made = notes("resource", "edit", URL, "--token-format", "opaque")
    assert made.stdout == "saved: Notes, opaque tokens\n"
    assert f"authserver resource credentials {URL} --guard-key" in made.stderr
    assert notes("resource", "edit", URL, "--token-format", "opaque").output == "nothing to do\n"
    assert notes("resource", "edit", URL, "--name", "My notes").output == "saved: My notes, opaque tokens\n"
    assert "opaque tokens" in notes("resource", "list").output
    for wrong in (["--token-format", "saml"], ["--name", " "], ["--name", "a\x1bb"]):
        assert notes("resource", "edit", URL, *wrong).exit_code != 0
    assert "not registered" in notes("resource", "edit", "https://nowhere.example", "--name", "x").output
    other = "https://other.example/mcp"
    made = ["--name", "Other", "--scope", "o:read=Read", "--token-format", "opaque"]
    assert notes("resource", "add", other, *made).exit_code == 0
    assert notes("resource", "list").output.count("opaque tokens") == 2


@pytest.mark.requirement("TK-2", "CR-11")
def test_a_file_says_the_format_of_tokens(notes, tmp_path):
    wanted = tmp_path / "wanted.yaml"
    server = (
        "resources: [{url: 'https://notes.example/mcp', name: Notes, scopes: [{name: 'notes:read', description: R}]"
    )
    wanted.write_text(server + ", token_format: opaque}]")
    shown = notes("apply", str(wanted)).output
    assert "token_format: - jwt" in shown
    assert "token_format: + opaque" in shown
    assert notes("apply", str(wanted)).output == "nothing to do\n"
    wanted.write_text(server + ", token_format: saml}]")
    assert "token_format" in notes("apply", str(wanted)).output
