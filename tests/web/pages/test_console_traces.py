"""Attempts to connect in the console."""

import pytest

from tests.conformance.flow import Flow
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor
from tests.traces.telling import reference_on, told
from tests.web.pages.test_consent_page import words


@pytest.fixture
def site(site_with) -> Site:
    return site_with()


def failed(site: Site) -> tuple[Flow, str]:
    """An app that asked wrongly, and the reference that its person saw."""
    flow = Flow(site)
    flow.register({"client_name": "Editor <b>", "redirect_uris": ["https://app.example/cb"]})
    page = site.get(flow.url(redirect_uri="https://app.example/cb", scope="invented"))
    assert "Tell your administrator this reference" in page.text
    reference = reference_on(page)
    told(site, reference)
    return flow, reference


def test_an_administrator_finds_an_attempt_by_what_a_person_reads_to_them(site):
    _, reference = failed(site)
    page = Visitor(site, "root").open(f"/admin/traces?q={reference.lower().replace('-', '+')}")
    assert page.request.path == "/admin/trace"
    said = words(page)
    assert f"Attempt {reference} failed" in said
    assert "None of the scopes that the app asked for exists" in said
    assert "What helps:" in said
    assert "Editor <b>" not in page.text


def test_an_unknown_reference_is_said_so(site):
    admin = Visitor(site, "root")
    assert "No attempt has the reference “nothing”" in words(admin.open("/admin/traces?q=nothing"))
    assert admin.open("/admin/trace?id=AAAAA-AAAAA").status_code == 404
    assert admin.open("/admin/trace").status_code == 404


def test_the_list_shows_failures_and_can_be_narrowed(site):
    flow, reference = failed(site)
    admin, client_id = Visitor(site, "root"), flow.values["client_id"]
    for query, shown in (("", True), (f"?client={client_id}", True), ("?client=other", False), ("?person=ada", False)):
        page = admin.open(f"/admin/traces{query}")
        assert (reference in page.text) == shown, query
    assert "No attempt failed" in words(admin.open("/admin/traces?person=nobody"))
    everything = admin.open(f"/admin/traces?show=all&client={client_id}")
    assert "registration" in words(everything)


@pytest.mark.parametrize("query", ["q=%00", "client=%00", "person=%ff", "after=x.y", "show=%0a", "id=%00"])
def test_nothing_that_is_asked_for_is_a_fault(site, query):
    admin = Visitor(site, "root")
    for path in ("/admin/traces", "/admin/trace"):
        assert admin.open(f"{path}?{query}").status_code in (200, 404)
