"""The groups of a person, in the console."""

import secrets

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.role import Role
from authserver.store.user import User
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor, forms
from tests.web.pages.conftest import As

EVENT = Event("test.done", "system")
HOSTILE = "<b>&\u202egroup"


@pytest.fixture
def bo(site: Site) -> User:
    """A person of the test's own."""
    return site.deployment.stores.users.add(f"bo-{secrets.token_hex(4)}", "Bo", "-", Role.MEMBER, EVENT)


def send(browser: Visitor, person: User, groups: str):
    address = f"/admin/person/groups?id={person.id}"
    return browser.http.post(address, data={**dict(forms(browser.open(address))[-1].fields), "groups": groups})


def test_a_person_is_put_into_groups_and_out_of_others(site: Site, admin: Visitor, bo: User):
    groups = site.deployment.stores.groups
    groups.add(bo.id, "old", EVENT)
    assert send(admin, bo, f" staff \r\n\r\nreaders\r\nstaff\r\n{HOSTILE.replace(chr(0x202E), '')}").status_code == 303
    assert groups.of(bo.id) == ("<b>&group", "readers", "staff")
    page = admin.open(f"/admin/person?id={bo.id}").text
    assert "&lt;b&gt;&amp;group" in page
    assert send(admin, bo, "").status_code == 303
    assert groups.of(bo.id) == ()


def test_what_is_no_name_is_told_and_nothing_is_done(site: Site, admin: Visitor, bo: User):
    for wrong in ("x" * 201, HOSTILE, "a\tb"):
        answer = send(admin, bo, f"fine\n{wrong}")
        assert answer.status_code == 400
        assert "printable characters" in answer.text
    assert site.deployment.stores.groups.of(bo.id) == ()


def test_the_second_of_two_is_told_and_overwrites_nothing(site: Site, admin: Visitor, bo: User):
    address = f"/admin/person/groups?id={bo.id}"
    old = dict(forms(admin.open(address))[-1].fields)
    site.deployment.stores.groups.add(bo.id, "of somebody else", EVENT)
    answer = admin.http.post(address, data={**old, "groups": "mine"})
    assert answer.status_code == 409
    assert "Somebody else has put this person into other groups" in answer.text
    assert site.deployment.stores.groups.of(bo.id) == ("of somebody else",)


def test_only_an_owner_puts_owners_and_admins_into_groups(site: Site, admin: Visitor, signed_in_as: As, bo: User):
    site.deployment.stores.users.set_role(bo.id, Role.ADMIN, Role.MEMBER, EVENT)
    refused = signed_in_as(Role.ADMIN).open(f"/admin/person/groups?id={bo.id}")
    assert refused.status_code == 403
    assert send(admin, bo, "staff").status_code == 303
