"""A proposed list of rules, held against what really happened."""

from authserver.protocol.policy import reading
from authserver.services.policy.replay import Replay
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor
from tests.policies.conftest import Rule
from tests.tools.conftest import Docs
from tests.tools.test_consent import ALL, token


def test_it_names_what_would_be_lost_for_whom_and_how_often(docs: Docs, site: Site, visitor: Visitor, rules: Rule):
    token(docs, visitor.decide(docs.url(scope=ALL)))
    for _ in range(3):
        docs.flow.refresh()
    policies = site.deployment.stores.policies
    proposed = reading.read([{"name": "no wiping", "effect": "deny", "who": ["user:ada"], "tools": ["wipe_all"]}])
    found = Replay(
        site.deployment.stores, site.deployment.policies, policies.current(), policies.with_people(0, proposed)
    )
    lines = [line for line in found.run(0).lines if line.resource == docs.resource.identifier]
    assert {(line.name, line.username, line.lost, line.times) for line in lines} == {
        ("token.refreshed", "ada", ("tool:wipe_all (no wiping)",), 3),
        ("grant.approved", "ada", ("tool:wipe_all (no wiping)",), 1),
        ("code.redeemed", "ada", ("tool:wipe_all (no wiping)",), 1),
    }
    assert not any(line.refused for line in lines)


def test_rules_that_change_nothing_show_nothing(docs: Docs, site: Site, visitor: Visitor, rules: Rule):
    rules({"effect": "deny", "who": ["user:nobody"]})
    token(docs, visitor.decide(docs.url()))
    current = site.deployment.stores.policies.current()
    assert not Replay(site.deployment.stores, site.deployment.policies, current, current).run(0).lines
