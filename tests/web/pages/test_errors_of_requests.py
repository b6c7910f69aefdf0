"""Errors of authorization requests: which are pages, which go to the client, and by which way."""

import pytest

from authserver.protocol.audit import Event
from tests.conformance.flow import Flow
from tests.conformance.site import ISSUER
from tests.conformance.visitor import Visitor, forms

from .conftest import HOSTED

BAD = {
    "code_challenge_method": "plain",
    "code_challenge": "short",
    "response_type": "token",
    "response_mode": "fragment",
    "resource": "https://elsewhere.example/mcp",
    "scope": "no:such-scope",
    "request_uri": "https://app.example/request",
}
ERRORS = {
    "response_type": "unsupported_response_type",
    "resource": "invalid_target",
    "scope": "invalid_scope",
}


@pytest.mark.requirement("AZ-2", "CR-3", "CR-15")
def test_a_client_that_goes_while_the_person_decides_is_a_page_and_no_redirect(site_with):
    site = site_with()
    flow, visitor = Flow(site), Visitor(site)
    flow.register()
    question = visitor.open(flow.url())
    gone = site.deployment.stores.registrations.delete_unused(2**40, 9, Event("test.done", "system"))
    assert gone == 1
    answer = visitor.submit(question, forms(question)[-1], {"decision": "allow", "scope": "notes:read"})
    assert (answer.status_code, answer.location) == (400, None)
    assert "not registered here" in answer.text


@pytest.mark.requirement("AZ-2")
@pytest.mark.parametrize(
    "wrong", ["https://evil.example/callback", "http://127.0.0.1:5000/other", "javascript:alert(1)"]
)
def test_an_unregistered_redirect_uri_is_never_gone_to(flow, visitor, wrong):
    flow.register()
    for answer in (visitor.open(flow.url(redirect_uri=wrong)), visitor.open("/sign-in")):
        assert answer.location is None or "evil" not in answer.location
    answer = visitor.open(flow.url(redirect_uri=wrong))
    assert answer.status_code == 400
    assert f'href="{wrong}' not in answer.text


@pytest.mark.requirement("AZ-1", "AZ-2", "AZ-3")
@pytest.mark.parametrize("parameter", BAD)
def test_a_loopback_client_is_told_of_an_error_at_once(site, flow, parameter):
    flow.register()
    told = flow.answer(site.get(flow.url(**{parameter: BAD[parameter]})))
    assert told["error"] == ERRORS.get(parameter, "invalid_request")
    assert told["state"] == flow.values["state"]
    assert told["iss"] == ISSUER
    assert "code" not in told


@pytest.mark.requirement("AZ-1")
@pytest.mark.parametrize("parameter", ["code_challenge", "code_challenge_method", "response_type"])
def test_a_request_without_pkce_or_response_type_is_invalid(site, flow, parameter):
    flow.register()
    assert flow.answer(site.get(flow.url(**{parameter: None})))["error"] == "invalid_request"


@pytest.mark.requirement("AZ-2")
def test_a_preregistered_client_is_told_at_once_too(site, desk):
    told = site.get(desk.url(redirect_uri=HOSTED, scope="no:such-scope"))
    assert told.location.startswith(f"{HOSTED}?error=invalid_scope")


@pytest.mark.requirement("AZ-2")
@pytest.mark.parametrize("uri", [HOSTED, "cursor://anysphere.cursor-mcp/oauth/callback"])
def test_before_sign_in_an_unapproved_client_gets_a_page_with_a_button_instead_of_a_redirect(site, hosted, uri):
    hosted.register({"redirect_uris": [uri], "client_name": "Hosted app"})
    answer = site.get(hosted.url(redirect_uri=uri, code_challenge_method="plain"))
    assert (answer.status_code, answer.location) == (400, None)
    assert f'href="{uri}?error=invalid_request' in answer.text
    assert "Go back to" in answer.text
    assert uri.removesuffix("/callback").removesuffix("/oauth").removeprefix("https://") in answer.text


@pytest.mark.requirement("AZ-2", "AZ-3")
def test_after_sign_in_an_unapproved_client_is_told_by_redirect(hosted, visitor):
    visitor.open("/sign-in")
    told = hosted.answer(visitor.open(hosted.url(redirect_uri=HOSTED, scope="no:such-scope")))
    assert told["error"] == "invalid_scope"
    assert told["iss"] == ISSUER


@pytest.mark.requirement("AZ-2")
def test_prompt_none_without_a_session_is_login_required(site, flow):
    flow.register()
    assert flow.answer(site.get(flow.url(prompt="none")))["error"] == "login_required"


@pytest.mark.requirement("AZ-2")
def test_prompt_none_with_a_decision_to_make_is_consent_required(flow, visitor):
    flow.register()
    visitor.open("/sign-in")
    assert flow.answer(visitor.open(flow.url(prompt="none")))["error"] == "consent_required"


@pytest.mark.requirement("AZ-2", "AZ-13")
@pytest.mark.parametrize(
    "query", ["", "client_id", "client_id=a&client_id=b", "client_id=%00", "client_id=%ff", "client_id=\u00e9", "&&&=="]
)
def test_a_request_that_cannot_be_read_is_a_page(site, query):
    answer = site.get(f"/authorize?{query}")
    assert (answer.status_code, answer.location) == (400, None)
    assert answer.mimetype == "text/html"


@pytest.mark.requirement("AZ-2")
def test_what_a_client_calls_itself_is_text_and_nothing_else(site, hosted):
    hosted.register({"redirect_uris": [HOSTED], "client_name": "<script>x</script>\u202e\u0000"})
    answer = site.get(hosted.url(redirect_uri=HOSTED, scope="no:such-scope"))
    assert "<script>" not in answer.text
    assert "\u202e" not in answer.text
