"""A client for itself follows the same rules: nobody is there to ask, so policy decides."""

import pytest

from tests.conformance.site import CALENDAR, NOTES, Site
from tests.policies.conftest import apply, events
from tests.web.backchannel.test_client_credentials import Machine, machine

READ_ONLY = {"name": "machines read", "effect": "deny", "who": ["machine"], "risks": ["write", "destructive"]}


@pytest.fixture
def indexer(site: Site):
    found = machine(site)
    found.allow("notes:read", "notes:write")
    yield found
    apply(site)


def scope_of(found: Machine) -> str:
    answer = found.ask(resource=NOTES.identifier)
    assert answer.status_code == 200, answer.text
    return answer.json["scope"]


def test_what_a_rule_denies_machines_is_in_no_token(site: Site, indexer: Machine):
    assert scope_of(indexer) == "notes:read notes:write"
    apply(site, READ_ONLY)
    assert scope_of(indexer) == "notes:read"
    issued = events(site, "token.issued", NOTES.identifier)[0]
    assert issued.detail["scopes"] == ["notes:read"], "the trail tells what was given"


def test_a_rule_about_people_is_none_about_machines(site: Site, indexer: Machine):
    apply(site, {**READ_ONLY, "who": ["person", "role:member"]})
    assert scope_of(indexer) == "notes:read notes:write"


@pytest.mark.parametrize("effect", ["deny", "require approval", "require fresh sign-in"])
def test_what_only_a_person_could_meet_is_a_no(site: Site, indexer: Machine, effect: str):
    apply(site, {"name": "people only", "effect": effect, "servers": [NOTES.identifier]})
    answer = indexer.ask(resource=NOTES.identifier)
    assert answer.status_code == 400
    assert answer.json["error"] == "unauthorized_client"
    assert "people only" not in answer.text
    refused = events(site, "policy.refused", NOTES.identifier)[0]
    assert refused.client_id == indexer.client.client_id
    assert refused.detail["rules"] == ["people only"]
    indexer.allow("calendar:read", resource=CALENDAR)
    assert indexer.ask(resource=CALENDAR.identifier).status_code == 200
