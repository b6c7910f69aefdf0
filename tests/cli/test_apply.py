"""``authserver apply``: what a file says is made so, once; what is wrong with it is told with its line."""

import json
import re
import secrets
from pathlib import Path

import pytest
import yaml

from authserver.protocol import credential
from authserver.protocol.audit import Event
from authserver.protocol.client_authentication import knows_secret
from authserver.services.desired_state.changes import Overtaken
from authserver.services.desired_state.plan import Planner

ROOT = Path(__file__).resolve().parents[2]
SERVER = """
resources:
  - url: https://notes.example/mcp
    name: Notes
    scopes: [{name: "notes:read", description: Read}, {name: "notes:write", description: Write, risk: write}]
    tools: [{name: list_notes, scopes: ["notes:read"]}]
"""
APP = """
  - id: app
    name: App
    redirect_uris: [https://app.example/cb]
"""
JOB = """
  - id: job
    name: Job
    allow: {"https://notes.example/mcp": ["notes:read"]}
"""


@pytest.fixture
def apply(run, tmp_path):
    def command(text: str | bytes, *options: str):
        file = tmp_path / "clients.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return run("apply", str(file), *options)

    return command


@pytest.mark.requirement("CR-11")
def test_the_example_is_applied_once_and_then_there_is_nothing_to_do(run, apply, monkeypatch):
    text = (ROOT / "config" / "clients.example.yaml").read_text()
    refused = apply(text)
    assert refused.exit_code == 1
    assert re.search(r"line \d+: clients\[2\]\.secret_env: there is no such variable", refused.output)
    assert re.search(r"line \d+: people\[0\]\.username: there is no user 'alice'", refused.output)
    monkeypatch.setenv("REPORTS_CLIENT_SECRET", secrets.token_urlsafe(32))
    run("user", "add", "alice")
    first = apply(text)
    assert first.exit_code == 0, first.output
    assert first.output.splitlines()[-1] == "5 added, 3 changed, 0 removed"
    assert len(re.findall(r"client_secret \(shown this once\): mcps_[\w-]{43}", first.output)) == 1
    listed = [json.loads(line)["client_id"] for line in run("client", "list", "--json").output.splitlines()]
    assert {entry["id"] for entry in yaml.safe_load(text)["clients"]} == set(listed)
    for options in ((), ("--dry-run",), ("--prune",), ("--prune", "--dry-run")):
        again = apply(text, *options)
        assert (again.exit_code, again.output) == (0, "nothing to do\n")


@pytest.mark.requirement("CR-11")
def test_a_dry_run_shows_the_difference_and_changes_nothing(run, apply):
    assert apply(f"{SERVER}clients:{APP}{JOB}").exit_code == 0
    changed = f"{SERVER}clients:{APP}{JOB}".replace("name: App", "name: Better app").replace("/cb", "/callback")
    changed = changed.replace("description: Read", "description: See").replace('notes:read"]}\n', 'notes:write"]}\n')
    before = run("client", "show", "app").output
    shown = apply(changed, "--dry-run")
    assert shown.exit_code == 2
    for line in ("~ MCP server https://notes.example/mcp", "    scopes: - notes:read (read): Read",
                 "    scopes: + notes:read (read): See", "~ client app", "    name: - App", "    name: + Better app",
                 "    redirect_uris: - https://app.example/cb", "    redirect_uris: + https://app.example/callback",
                 "0 to add, 3 to change, 0 to remove"):  # fmt: skip
        assert line in shown.output.splitlines()
    assert run("client", "show", "app").output == before
    assert apply(changed).output.splitlines()[-1] == "0 added, 3 changed, 0 removed"
    assert "name: Better app" in run("client", "show", "app").output
    assert apply(changed).output == "nothing to do\n"


@pytest.mark.requirement("CR-11")
def test_pruning_takes_only_what_a_file_has_made(run, apply):
    run("client", "add", "By hand", "--id", "hand", "--redirect-uri", "https://hand.example/cb")
    apply(f"{SERVER}clients:{APP}{JOB}")
    assert apply(f"{SERVER}clients:{APP}").output == "nothing to do\n"
    shown = apply(f"{SERVER}clients:{APP}", "--prune", "--dry-run")
    assert shown.exit_code == 2
    assert "- client job" in shown.output
    assert run("client", "show", "job").exit_code == 0
    assert apply(f"{SERVER}clients:{APP}", "--prune").exit_code == 0
    assert run("client", "show", "job").exit_code == 1
    listed = run("client", "list", "--json").output.splitlines()
    assert {json.loads(line)["client_id"] for line in listed} == {"app", "hand"}
    again = apply(f"{SERVER}clients:{APP}{JOB}")  # what was removed may come back
    assert "client_secret" in again.output


@pytest.mark.requirement("CR-11")
def test_a_client_made_by_hand_follows_the_file_but_is_never_pruned(run, apply):
    run("client", "add", "By hand", "--id", "app", "--redirect-uri", "https://hand.example/cb")
    assert "    name: - By hand" in apply(f"clients:{APP}").output
    assert apply("clients: []", "--prune").output == "nothing to do\n"
    assert "name: App" in run("client", "show", "app").output


@pytest.mark.requirement("CR-11", "CR-12")
def test_a_secret_comes_and_goes_with_the_method_and_is_else_left_alone(apply, monkeypatch):
    basic = f"clients:{APP}    auth_method: client_secret_basic\n"
    secret = re.compile(r"client_secret \(shown this once\): (mcps_\S+)")
    assert secret.search(apply(basic).output)
    assert not secret.search(apply(basic.replace("name: App", "name: New")).output)
    assert "secret: forgotten" in apply(f"clients:{APP}").output
    assert secret.search(apply(basic).output)
    monkeypatch.setenv("APP_SECRET", secrets.token_urlsafe(32))
    named = f"{basic}    secret_env: APP_SECRET\n"
    assert "    secret: + another" in apply(named).output
    assert apply(named).output == "nothing to do\n"
    monkeypatch.setenv("APP_SECRET", "short")
    assert "clients[0].secret_env: the variable must hold 32" in apply(named).output


@pytest.mark.requirement("CR-11", "CR-12")
def test_a_secret_that_changes_stays_good_beside_the_new_one_and_ends_with_the_method(site_with, monkeypatch):
    stores, first, second = site_with().deployment.stores, "a" * 40, "b" * 40
    basic = f"clients:{APP}    auth_method: client_secret_basic\n    secret_env: APP_SECRET\n"
    for secret in (first, second):
        apply_to(stores, basic, APP_SECRET=secret)
    client = stores.clients.find_fresh("app")
    now = client.previous_secret_until - 1
    assert knows_secret(first, client, now)
    assert knows_secret(second, client, now + 2)
    assert not knows_secret(first, client, now + 2)
    apply_to(stores, f"clients:{APP}")
    client = stores.clients.find_fresh("app")
    assert not knows_secret(first, client, now)
    assert not knows_secret(second, client, now)


@pytest.mark.requirement("CR-11")
def test_a_run_that_broke_off_is_run_again_for_the_rest(site_with):
    stores = site_with().deployment.stores
    text = f"clients:{APP}{APP.replace('app', 'next')}".encode()
    planner = Planner(stores, "http://localhost:9000", {})
    first, _ = planner.plan(text, prune=False)
    first.make(stores)  # and here it breaks off
    (rest,) = planner.plan(text, prune=False)
    assert rest.subject == "client next"
    rest.make(stores)
    assert planner.plan(text, prune=False) == ()


@pytest.mark.requirement("CR-11")
def test_what_someone_else_has_done_meanwhile_is_told(site_with):
    stores = site_with().deployment.stores
    planner = Planner(stores, "http://localhost:9000", {})
    (change,) = planner.plan(f"clients:{APP}".encode(), prune=False)
    change.make(stores)
    with pytest.raises(Overtaken):
        change.make(stores)  # another run was faster
    (change,) = planner.plan(f"clients:{APP}".replace("name: App", "name: New").encode(), prune=False)
    stores.clients.delete("app", Event("client.deleted", "system"))
    with pytest.raises(Overtaken):
        change.make(stores)
    (server,) = planner.plan(SERVER.encode(), prune=False)
    server.make(stores)
    with pytest.raises(Overtaken):
        server.make(stores)


@pytest.mark.requirement("CR-11", "CR-12")
def test_a_secret_that_is_rotated_while_a_file_is_applied_is_not_taken_back(site_with):
    stores, fresh = site_with().deployment.stores, credential.digest("a fresh secret")
    basic = f"clients:{APP}    auth_method: client_secret_basic\n"
    apply_to(stores, basic)
    renamed = basic.replace("name: App", "name: New").encode()
    (change,) = Planner(stores, "http://localhost:9000", {}).plan(renamed, prune=False)
    stores.clients.rotate_secret("app", fresh, 0, Event("client.secret_rotated", "system"))
    with pytest.raises(Overtaken):
        change.make(stores)
    assert stores.clients.find_fresh("app").secret_digest == fresh


def apply_to(stores, text, **environment):
    for change in Planner(stores, "http://localhost:9000", environment).plan(text.encode(), prune=False):
        change.make(stores)


@pytest.mark.requirement("CR-11")
def test_a_name_can_go_from_one_server_to_another_in_one_file(apply):
    named = "\n  - url: https://{0}.example/mcp\n    name: {0}\n"
    server = named + "    scopes: [{{name: r, description: R}}]\n    aliases: [{1}]\n"
    a, b = server.format("a", "https://old.example/x"), server.format("b", "")
    assert apply("resources:" + b + a).exit_code == 0
    a, b = server.format("a", ""), server.format("b", "https://old.example/x")
    moved = apply("resources:" + b + a)
    assert moved.exit_code == 0, moved.output
    both = apply("resources:" + b + server.format("a", "HTTPS://OLD.example/x/"))
    assert "resources[1]: https://old.example/x means https://b.example/mcp already" in both.output


@pytest.mark.requirement("CR-11")
@pytest.mark.parametrize(("text", "told"), [
    ("clients:\n  - id: a\n    name: A\n    redirect_uris:\n      - https://a.example/cb\n      - ftp://x/\n",
     "line 6: clients[0].redirect_uris[1]: this scheme"),
    ("clients:\n  - name: A\n", "line 2: clients[0].id: Field required"),
    ("clients:\n  - id: a\n    nmae: A\n", "line 3: clients[0].nmae: Extra inputs"),
    ("clients:\n  - id: a\n    id: b\n", "line 3: clients[0].id: is there twice"),
    (f"clients:{APP}{APP}", "clients[1].id: is there twice"),
    (f"clients:{JOB}", 'clients[0].allow["https://notes.example/mcp"]: no MCP server'),
    (SERVER + "clients:" + JOB.replace("read", "fly"), "not scopes of this server: notes:fly"),
    (f"clients:{APP}    secret_env: X", "clients[0].secret_env: of no use"),
    (f"clients:{APP}    auth_method: magic", "clients[0].auth_method: Input should be"),
    (f"clients:{APP}    jwks: {{keys: [{{kty: EC, d: x}}]}}\n    auth_method: private_key_jwt",
     "line 5: clients[0].jwks: must hold public keys only"),
    (SERVER.replace("https://notes.example/mcp", "http://localhost:9000"), "not the authorization server itself"),
    (SERVER.replace("notes:read\", d", "offline_access\", d"), "is about refresh tokens"),
    (SERVER.replace('scopes: ["notes:read"]', "scopes: []"), "resources[0].tools[0].scopes: is opened by"),
    (SERVER.replace("name: Notes", "name: \"N\\e[31m\""), "resources[0].name: 1 to 200 printable"),
    (SERVER.replace("https://notes.example/mcp", "ftp://x"), "resources[0].url: resource must be"),
    ("a: &a [1]\nb: *a\n", "line 2: anchors and aliases"),
    ("clients: !!python/object/apply:os.system [id]\n", "the tag"),
    ("clients: [", "not YAML"),
    ("", "Input should be"),
    ("- 1", "Input should be"),
    ("[" * 20_000, "too deep"),
    (b"\xff\xfe", "not UTF-8"),
    (b" " * 1_100_000, "larger than"),
    ('clients: ["\\uD800"]', "characters that are none"),
    ("clients: [.inf]", "no finite number"),
])  # fmt: skip
def test_what_is_wrong_with_a_file_is_told_with_its_place_and_nothing_is_changed(run, apply, text, told):
    refused = apply(text)
    assert refused.exit_code == 1, refused.output
    assert told in refused.output
    assert "nothing was changed" in refused.output
    assert "\x1b" not in refused.output
    assert run("client", "list").output == run("resource", "list").output == ""


@pytest.mark.requirement("CR-11")
def test_every_mistake_is_told_at_once(apply):
    text = f"{SERVER.replace('notes:read', 'no tes')}clients:{APP.replace('https', 'ftp')}{JOB}"
    assert len(apply(text).output.splitlines()) == 4


@pytest.mark.requirement("CR-11")
def test_a_file_takes_no_client_that_registered_by_itself(run, apply, tmp_path):
    run("resource", "add", "https://notes.example/mcp", "--name", "N", "--scope", "r=R")
    run("resource", "credentials", "https://notes.example/mcp", "--guard-key", str(tmp_path / "guard.jwk"))
    guard = json.loads((tmp_path / "guard.jwk").read_text())
    refused = apply(f"clients:{APP.replace('id: app', 'id: ' + guard['client_id'])}")
    assert "is a client's that is not pre-registered, but resource_server" in refused.output
    assert apply("clients: []", "--prune").output == "nothing to do\n"
