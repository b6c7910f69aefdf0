"""The language of rules: what is written is what is read, the first that fits decides, and nothing is left half."""

import re
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.protocol.amr import BY_CODE, BY_PASSKEY, BY_PASSWORD
from authserver.protocol.client import AuthMethod, Client, ClientKind
from authserver.protocol.policy import difference, reading, words
from authserver.protocol.policy.conditions import CONDITIONS, DAYS, named
from authserver.protocol.policy.matching import bearing, compiled, considered
from authserver.protocol.policy.request import Item, ItemKind, Person, Request, through
from authserver.protocol.policy.rule import Conditions, Effect, Rule, Rules
from authserver.protocol.policy.ruling import Ruling, Standing, rule_on
from authserver.protocol.role import Role
from authserver.protocol.scope import Risk

FRIDAY_NOON = 1_790_337_600  # 2026-09-25 12:00 UTC
SCOPES = ("read", "write", "delete")
ITEMS = (
    Item(ItemKind.SCOPE, "read", Risk.READ),
    Item(ItemKind.SCOPE, "write", Risk.WRITE),
    Item(ItemKind.SCOPE, "delete", Risk.DESTRUCTIVE),
    Item(ItemKind.TOOL, "list_notes", Risk.READ, ("read",)),
    Item(ItemKind.TOOL, "write_note", Risk.WRITE, ("write",)),
    Item(ItemKind.TOOL, "delete_note", Risk.DESTRUCTIVE, ("delete", "write")),
)
IMPLIED = {"read": ("read",), "write": ("write", "read"), "delete": ("delete",)}


def a_client(**changes: object) -> Client:
    told = {"client_id": "app", "kind": ClientKind.DYNAMIC, "name": "App", "redirect_uris": ("https://app.example/cb",)}
    return Client(**{**told, **changes}, auth_method=AuthMethod.NONE, grant_types=(), created_at=0)  # type: ignore[arg-type]


ANN = Request(
    Person("ann", Role.MEMBER, frozenset({"staff"})), through(a_client()), "https://n.example", FRIDAY_NOON, "10.1.2.3"
)
MACHINE = Request(None, ANN.through, ANN.server, ANN.at, ANN.address)


def ruled(rules: Rules, asked: Request = ANN, fresh: bool = False, approved: Iterable[str] = ()) -> Ruling:
    standing = Standing(fresh, frozenset(approved))
    return rule_on(bearing(compiled(rules), asked), asked, ITEMS, standing, IMPLIED.__getitem__)


def rule(when: dict[str, object]) -> Rules:
    return reading.read([{"name": "a rule", "effect": "deny", **when}])


conditions = st.builds(
    Conditions,
    who=st.lists(st.sampled_from(["user:ann", "group:staff", "role:member", "person", "machine"]), max_size=2).map(
        tuple
    ),
    through=st.lists(st.sampled_from(["client:app", "kind:dynamic", "host:x.example"]), max_size=2).map(tuple),
    verified=st.sampled_from([None, True, False]),
    servers=st.sampled_from([(), ("https://n.example",), ("https://other.example",)]),
    tools=st.lists(st.sampled_from(["*", "list_*", "delete_note"]), max_size=2).map(tuple),
    scopes=st.lists(st.sampled_from(["read", "wri*", "delete"]), max_size=2).map(tuple),
    risks=st.lists(st.sampled_from([str(risk) for risk in Risk]), max_size=2).map(tuple),
    days=st.lists(st.sampled_from(DAYS), max_size=3).map(tuple),
    factor=st.sampled_from([(), ("passkey",), ("code", "none")]),
    hours=st.sampled_from(["", "08:00-18:00", "18:00-08:00", "00:00-24:00"]),
    source=st.lists(st.sampled_from(["10.0.0.0/8", "::/0", "192.0.2.7/32"]), max_size=2).map(tuple),
)
rulesets = st.lists(
    st.builds(Rule, name=st.just(""), effect=st.sampled_from(Effect), when=conditions, unless=conditions), max_size=6
).map(lambda rules: tuple(Rule(f"rule {place}", one.effect, one.when, one.unless) for place, one in enumerate(rules)))
requests = st.sampled_from([ANN, MACHINE])


@given(rulesets)
def test_what_is_written_is_what_is_read(rules: Rules):
    assert reading.read(reading.written(rules)) == rules
    assert all(words.sentence(one) for one in rules)


@given(rulesets, requests, st.booleans(), st.sets(st.sampled_from([item.key for item in ITEMS])))
def test_a_ruling_hangs_together(rules: Rules, asked: Request, fresh: bool, approved: set[str]):
    """What is left and what is out is everything; nothing that is left needs or implies what is out."""
    found = ruled(rules, asked, fresh, approved)
    out = {one.item.key for one in found.out}
    left = {f"scope:{name}" for name in found.scopes} | {f"tool:{name}" for name in found.tools}
    assert out | left == {item.key for item in ITEMS}
    assert not out & left
    for item in ITEMS:
        if item.key in left:
            needed = item.scopes if item.kind is ItemKind.TOOL else IMPLIED[item.name]
            assert found.scopes.issuperset(needed)
    for name in found.scopes:
        needing = [item for item in ITEMS if item.kind is ItemKind.TOOL and name in item.scopes]
        assert any(item.name in found.tools for item in needing)


@given(rulesets, requests)
def test_a_tool_is_left_only_if_the_explanation_says_so(rules: Rules, asked: Request):
    """The trace that an operator reads and what is enforced come to the same."""
    found = ruled(rules, asked, fresh=True, approved=[item.key for item in ITEMS])
    for item in ITEMS:
        last = list(considered(rules, asked, item))[-1:]
        decided = last[0].rule.effect if last and last[0].fits else Effect.ALLOW
        met = decided is Effect.ALLOW or (asked.person is not None and decided is not Effect.DENY)
        if item.kind is ItemKind.TOOL and item.name in found.tools:
            assert met
        assert all(one.why for one in considered(rules, asked, item))


@given(rulesets, requests)
def test_what_is_compiled_decides_as_what_is_explained(rules: Rules, asked: Request):
    bears = bearing(compiled(rules), asked)
    for item in ITEMS:
        decided = next((one.rule for one in bears if one.decides(asked, item)), None)
        assert decided is next((one.rule for one in considered(rules, asked, item) if one.fits), None)


@given(rulesets, requests)
def test_no_person_and_nothing_approved_means_no(rules: Rules, asked: Request):
    more = ruled(rules, asked, fresh=True, approved=[item.key for item in ITEMS])
    less = ruled(rules, asked)
    assert less.tools <= more.tools
    if asked is MACHINE:
        assert {one.effect for one in more.out} <= {Effect.DENY}


@given(rulesets)
def test_what_waits_for_an_approval_is_left_once_that_is_given(rules: Rules):
    before = ruled(rules, fresh=True)
    after = ruled(rules, fresh=True, approved=[one.item.key for one in before.asked])
    assert not {one.item.key for one in before.waiting(Effect.APPROVAL)} & {one.item.key for one in after.out}


def test_what_is_denied_besides_is_not_said_to_wait():
    rules = reading.read(
        [
            {"name": "no writing", "effect": "deny", "scopes": ["write"], "unless": {"tools": ["*"]}},
            {"name": "wipe by word", "effect": "require approval", "tools": ["delete_note"]},
        ]
    )
    told = {one.item.key: (one.effect, one.rule.name) for one in ruled(rules).out}
    assert told["tool:delete_note"] == (Effect.DENY, "no writing")


def test_what_only_falls_with_another_is_not_asked_for():
    by_word: dict[str, object] = {"effect": "require approval", "scopes": ["delete"], "unless": {"tools": ["*"]}}
    asked = ruled(rule(by_word))
    assert {one.item.key for one in asked.waiting(Effect.APPROVAL)} == {"scope:delete", "tool:delete_note"}
    assert [one.item.key for one in asked.asked] == ["scope:delete"]


@given(rulesets, rulesets)
def test_equal_lists_have_no_difference_and_others_have_one(before: Rules, after: Rules):
    changes = list(difference.changes(before, after))
    assert bool(changes) == (before != after)
    assert all(change.words for change in changes)


plain = st.sampled_from([None, True, -1, 1.5, "", "x", "deny", "\u202e", "10.0.0.1/8", "25:00-26:00", "user:", [], {}])
entries = st.dictionaries(
    st.sampled_from(["name", "effect", "unless", "who", "hours", "from", "tools", "verified", "says", "x"]),
    plain | st.lists(plain, max_size=2) | st.dictionaries(st.sampled_from(["who", "days", "x"]), plain, max_size=2),
    max_size=4,
)


@given(plain | st.lists(plain | entries, max_size=3))
def test_whatever_a_file_says_is_read_or_told_in_words(content: object):
    try:
        reading.read(content)
    except reading.Unfit as unfit:
        assert str(unfit)


@pytest.mark.parametrize(
    ("given_conditions", "fits"),
    [
        ({"who": ["user:Ann"]}, True),
        ({"who": ["group:staff", "user:bob"]}, True),
        ({"who": ["role:admin"]}, False),
        ({"through": ["kind:dynamic"]}, True),
        ({"through": ["known:cursor"]}, False),
        ({"verified": False}, True),
        ({"days": ["fri"]}, True),
        ({"days": ["sat", "sun"]}, False),
        ({"hours": "12:00-12:01"}, True),
        ({"hours": "12:01-12:00"}, False),
        ({"hours": "22:00-12:30"}, True),
        ({"factor": ["none"]}, True),
        ({"factor": ["code", "passkey"]}, False),
        ({"from": ["10.0.0.0/8"]}, True),
        ({"from": ["::/0"]}, False),
        ({"tools": ["delete_*"]}, False),
        ({"unless": {"who": ["user:ann"]}}, False),
        ({"unless": {"who": ["user:ann"], "days": ["mon"]}}, True),
        ({"unless": {"tools": ["*"]}}, True),
    ],
)
def test_conditions_fit_what_they_say(given_conditions: dict[str, object], fits: bool):
    found = list(considered(rule(given_conditions), ANN, ITEMS[0]))
    assert found[0].fits is fits, found


def test_an_address_in_the_form_of_the_other_family_is_the_same_address():
    mapped = Request(ANN.person, ANN.through, ANN.server, ANN.at, "::ffff:10.1.2.3")
    assert next(considered(rule({"from": ["10.0.0.0/8"]}), mapped, ITEMS[0])).fits
    nowhere = Request(ANN.person, ANN.through, ANN.server, ANN.at, "")
    assert not next(considered(rule({"from": ["0.0.0.0/0", "::/0"]}), nowhere, ITEMS[0])).fits


@pytest.mark.parametrize(
    ("methods", "factor"),
    [
        (BY_PASSWORD, "none"),
        (BY_CODE, "code"),
        (BY_PASSKEY, "passkey"),
        (("pwd", *BY_PASSKEY), "passkey"),
        ((), "none"),
    ],
)
def test_the_second_factor_is_a_condition(methods: tuple[str, ...], factor: str):
    asked = replace(ANN, methods=methods)
    for word in ("none", "code", "passkey"):
        assert next(considered(rule({"factor": [word]}), asked, ITEMS[0])).fits is (word == factor)
    with pytest.raises(reading.Unfit):
        rule({"factor": ["sms"]})


def test_a_brand_that_a_client_only_claims_is_known_and_not_verified():
    claimed = through(a_client(name="Cursor", redirect_uris=("http://127.0.0.1:8787/callback",)))
    borrowed = through(a_client(name="Cursor", redirect_uris=("https://evil.example/cb",)))
    assert not claimed.verified
    assert "known:cursor" not in borrowed.names


def test_a_document_belongs_to_its_host_and_the_domains_above():
    named = through(a_client(client_id="https://apps.vendor.example/c.json", kind=ClientKind.METADATA_DOCUMENT))
    assert {"host:apps.vendor.example", "host:vendor.example", "host:example"} <= named.names


@given(st.text("ab*", max_size=8), st.text("ab\n", max_size=12))
def test_a_star_stands_for_anything(pattern: str, name: str):
    anything = ".*".join(map(re.escape, pattern.split("*")))
    assert named((pattern,), name) is bool(re.fullmatch(anything, name, re.DOTALL))


def test_no_pattern_tries_for_long():
    assert not named(("*a" * 40 + "*b",), "a" * 200)


def test_every_condition_has_words():
    assert {condition.name for condition in CONDITIONS} == {*words.PHRASES, "verified"}
