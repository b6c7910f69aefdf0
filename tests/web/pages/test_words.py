"""The words of the pages, as values: what a decision is about, what a problem says, how names and times are written."""

from dataclasses import replace

import pytest
from werkzeug.exceptions import HTTPException

from authserver.protocol import form
from authserver.protocol.audit import Event
from authserver.protocol.strangers import plain
from authserver.services.proposal import Person, Proposal
from authserver.web import problems
from authserver.web.listing import Search
from authserver.web.words import RISKS, machine, moment
from tests.conformance.flow import Flow
from tests.conformance.site import Site

from .conftest import HOSTED

EVENT = Event("test.done", "system")


def proposal(site: Site, flow: Flow, device: str = "this device", **changes: str) -> Proposal:
    service = site.deployment.authorization
    ada = site.deployment.stores.users.by_name("ada")
    assert ada is not None
    asked_for = form.parse(flow.url(**changes).partition("?")[2])
    asked = service.check(asked_for, service.way(asked_for, EVENT.origin))
    return service.propose(asked, Person(ada.id, 1_780_000_000, device), EVENT.origin)


@pytest.mark.requirement("AZ-8")
def test_a_proposal_knows_whether_any_program_on_the_device_could_be_the_client(site, flow, hosted, desk):
    flow.register()
    assert proposal(site, flow).leads_to_this_device
    assert not proposal(site, hosted, redirect_uri=HOSTED).leads_to_this_device
    assert not proposal(site, hosted, redirect_uri=HOSTED).identity.vouched
    assert proposal(site, desk, redirect_uri=HOSTED).identity.vouched


@pytest.mark.requirement("AZ-14")
def test_a_proposal_leaves_out_the_destructive_that_is_not_asked_for(site, flow, visitor):
    flow.register()
    flow.allow(visitor, scope="notes:read notes:delete")
    device = visitor.http.get_cookie("device").value
    found = proposal(site, flow, device)
    assert [scope.name for scope in found.left_out] == ["notes:delete"]
    assert found.names == {"notes:read"}


@pytest.mark.parametrize("status", sorted(problems.BY_STATUS))
def test_every_problem_says_what_happened_and_its_remedies_are_sentences(status):
    problem = problems.BY_STATUS[status]
    assert problem.happened.endswith(".")
    assert all(step.endswith(".") for step in problem.remedy)


def test_a_problem_without_words_of_its_own_borrows_those_of_its_kind(site):
    class Teapot(HTTPException):
        code = 418

    def boil() -> None:
        raise Teapot

    site.app.view_functions["account.signed_out"], kept = boil, site.app.view_functions["account.signed_out"]
    try:
        answer = site.get("/signed-out")
    finally:
        site.app.view_functions["account.signed_out"] = kept
    assert answer.status_code == 418
    assert "That request cannot be read" in answer.text


def test_a_list_goes_on_where_it_was_cut_with_what_was_searched_for(site):
    with site.app.test_request_context("/admin/clients?q=a+b&after=12.x"):
        search = Search.asked()
        assert search == Search("a b", "12.x")
        assert search.further(None) is None
        assert search.further("11.y", kind="x", none=None) == "/admin/clients?q=a+b&after=11.y&kind=x"
        assert replace(search, query="").further("1.") == "/admin/clients?after=1."


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Claude", "Claude"),
        ("  two\n lines\t", "two lines"),
        ("\u202eevil\u2066", "evil"),
        ("a\u200bb\0c", "a b c"),
        ("x" * 61, "x" * 59 + "…"),
        ("日本語 ✨", "日本語 ✨"),
        ("", ""),
    ],
)
def test_a_name_is_shown_on_one_line_without_tricks(name, shown):
    assert plain(name) == shown


def test_times_are_utc():
    assert moment(1_780_000_000) == "2026-05-28 20:26"
    assert machine(1_780_000_000) == "2026-05-28T20:26:40+00:00"


def test_every_risk_has_words():
    assert all(RISKS.values())


@pytest.mark.requirement("AZ-8")
def test_a_proposal_remembers_what_a_changed_client_was_called(site, flow, visitor):
    flow.register()
    flow.allow(visitor)
    device = visitor.http.get_cookie("device").value
    assert proposal(site, flow, device).former_name is None
    clients = site.deployment.stores.clients
    clients.update(replace(clients.find_fresh(flow.values["client_id"]), name="Somebody else"), EVENT)
    assert proposal(site, flow, device).former_name == "A client"
