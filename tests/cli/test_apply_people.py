"""``authserver apply`` of people and rules: they are as the file says, and what it is silent about stays."""

import json

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.role import Role
from authserver.services.desired_state.changes import Overtaken
from authserver.services.desired_state.plan import Planner
from authserver.store.audit import AuditFilter

EVENT = Event("test.done", "system")
RULE = """
  - name: readers read
    effect: deny
    who: ["group:readers"]
    risks: [write, destructive]
"""
OTHER = """
  - name: nobody at night
    effect: deny
    hours: "22:00-06:00"
"""


@pytest.fixture
def apply(run, tmp_path):
    run("user", "add", "alice")
    run("user", "add", "root", "--role", "owner")

    def command(text: str, *options: str):
        file = tmp_path / "all.yaml"
        file.write_text(text)
        return run("apply", str(file), *options)

    return command


@pytest.fixture
def stores(site_with):
    found = site_with().deployment.stores
    found.users.add("olga", "Olga", "-", Role.OWNER, EVENT)
    found.users.add("otto", "Otto", "-", Role.MEMBER, EVENT)
    return found


def person(run, username: str) -> tuple[str, list[str]]:
    found = json.loads(run("user", "show", username, "--json").output)
    return found["role"], found["groups"]


def test_a_person_has_the_role_and_the_groups_of_the_file_and_no_others(run, apply):
    run("user", "join", "alice", "old")
    text = "people: [{username: Alice, role: auditor, groups: [readers, staff]}]"
    shown = apply(text, "--dry-run")
    assert shown.exit_code == 2
    for line in (
        "~ user alice",
        "    role: - member",
        "    role: + auditor",
        "    groups: - old",
        "    groups: + staff",
    ):
        assert line in shown.output.splitlines()
    assert person(run, "alice") == ("member", ["old"])
    assert apply(text).output.splitlines()[-1] == "0 added, 2 changed, 0 removed"
    assert person(run, "alice") == ("auditor", ["readers", "staff"])
    assert apply(text).output == "nothing to do\n"


def test_what_the_file_does_not_say_of_a_person_stays(run, apply):
    run("user", "join", "alice", "readers")
    assert apply("people: [{username: alice, role: support}]").exit_code == 0
    assert apply("people: [{username: root}]").output == "nothing to do\n"
    assert person(run, "alice") == ("support", ["readers"])
    assert apply("people: [{username: alice, groups: []}]").exit_code == 0
    assert person(run, "alice") == ("support", [])


def test_rules_of_the_file_count_in_place_of_all_others_and_without_any_those_stay(run, apply):
    assert apply(f"rules:{RULE}").output.splitlines()[0] == "~ rules of policy"
    assert "there are no rules" not in apply("people: [{username: alice, groups: [readers]}]").output
    assert [rule["name"] for rule in json.loads(run("policy", "list", "--json").output)["rules"]] == ["readers read"]
    shown = apply(f"rules:{OTHER}").output
    assert "    readers read: - deny" in shown
    assert "    nobody at night: + deny" in shown
    apply(f"rules:{OTHER}{RULE}")
    assert "    readers read: in another order" in apply(f"rules:{RULE}{OTHER}").output
    assert apply("rules: []").exit_code == 0
    assert json.loads(run("policy", "list", "--json").output)["rules"] == []


def test_each_mistake_is_told_with_its_line_and_nothing_is_changed(run, apply):
    refused = apply(
        "people:\n"
        "  - {username: nobody, role: admin}\n"
        "  - {username: alice, groups: [a]}\n"
        "  - {username: ALICE, role: admin}\n"
        "rules:\n"
        "  - {name: x, effect: permit}\n"
    )
    assert refused.exit_code == 1
    assert "line 2: people[0].username: there is no user 'nobody'" in refused.output
    assert "line 4: people[2].username: is there twice" in refused.output
    assert "line 6: rules[0].effect" in refused.output
    unnamed = apply('people:\n  - username: alice\n    groups: ["", " x"]\n')
    assert "line 3: people[0].groups" in unnamed.output
    assert person(run, "alice") == ("member", [])


def test_the_last_owner_stays_one_and_another_owner_comes_before(run, apply):
    refused = apply("people: [{username: root, role: admin}]")
    assert refused.exit_code == 1
    assert "the last owner stays one" in refused.output
    assert apply("people: [{username: root, role: admin}, {username: alice, role: owner}]").exit_code == 0
    assert (person(run, "root")[0], person(run, "alice")[0]) == ("admin", "owner")


def test_who_was_changed_by_somebody_else_since_the_plan_is_left_alone(stores):
    text = b"people: [{username: otto, role: admin, groups: [a]}]\nrules: [{name: r, effect: deny}]"
    role, groups, rules = Planner(stores, "https://as.example").plan(text, prune=False)
    otto = stores.users.by_name("otto")
    stores.users.set_role(otto.id, Role.SUPPORT, Role.MEMBER, EVENT)
    stores.groups.add(otto.id, "b", EVENT)
    stores.policies.apply((), 0, EVENT)
    for change in (role, groups, rules):
        with pytest.raises(Overtaken):
            change.make(stores)
    assert stores.users.by_name("otto").role is Role.SUPPORT
    assert stores.groups.of(otto.id) == ("b",)
    assert stores.policies.current().rules == ()


def test_each_group_that_is_joined_or_left_is_an_event(stores):
    otto = stores.users.by_name("otto")
    stores.groups.add(otto.id, "old", EVENT)
    (change,) = Planner(stores, "https://as.example").plan(b"people: [{username: otto, groups: [new]}]", prune=False)
    change.make(stores)
    about_otto = stores.audit.page(AuditFilter(user_id=otto.id), None, 2).lines
    newest = [(line.event.name, line.event.detail) for line in about_otto]
    assert sorted(newest, key=str) == [
        ("group.joined", {"by": "apply", "group": "new"}),
        ("group.left", {"by": "apply", "group": "old"}),
    ]
