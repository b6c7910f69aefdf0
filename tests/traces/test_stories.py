"""What people suffer from with real clients, each told by a timeline whose cause and remedy name the fault."""

import jwt
import pytest

from authserver.protocol import credential
from authserver.protocol.audit import Event
from authserver.store.audit import AuditFilter
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import NOTES
from tests.conformance.visitor import Visitor, forms
from tests.web.backchannel.clock import passes
from tests.web.backchannel.test_revocation import resource_server
from tests.web.backchannel.test_tool_receipts import receipt, send

from .telling import attempts, last, of_answer, of_page, reference_on, steps, told

EVENT = Event("test.done", "system")
DISCOVERY = "/.well-known/oauth-authorization-server"


def names(line, *words: str) -> bool:
    """Whether cause and remedy of *line* have *words*."""
    return all(word in f"{line.words.happened} {line.words.remedy}" for word in words)


def test_a_whole_attempt_is_one_timeline_from_discovery_to_the_first_call(site, flow, visitor):
    site.get(DISCOVERY)
    flow.register()
    tokens = flow.tokens(visitor)
    guard = resource_server(site, NOTES.identifier)
    (attempt,) = [one for one in attempts(site, failed=False) if one.step == "token"]
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    made = receipt(subject=claims["sub"], client=claims["client_id"], family=claims["jti"].partition(".")[0])
    assert send(site, guard, made).json["accepted"] == 1
    timeline = told(site, attempt.id)
    assert steps(timeline) == [
        ("discovery", "metadata_read"),
        ("registration", "registered"),
        ("authorization", "sign_in_needed"),
        ("sign-in", "signed_in"),
        ("consent", "consent_shown"),
        ("consent", "allowed"),
        ("token", "token_issued"),
        ("first use", "tool_called"),
    ]
    assert [line.probably for line in timeline.lines] == [True, *[False] * 7]
    assert {line.words.verdict for line in timeline.lines} == {"ok"}
    assert (timeline.username, timeline.client_name, timeline.trace.resource) == ("ada", "A client", NOTES.identifier)
    assert attempts(site) == [], "nothing failed"


def test_a_client_id_that_was_registered_elsewhere_is_told_to_be_reset(site, flow, visitor):
    flow.values["client_id"] = "of-another-server"
    line = last(of_page(site, visitor.open(flow.url())))
    assert line.cause == "never_registered"
    assert names(line, "never registered here", "add it again")


def test_a_pruned_client_id_that_is_replayed_for_ever_is_told_as_deleted(site, flow, visitor):
    flow.register()
    site.deployment.stores.clients.delete(flow.values["client_id"], EVENT)
    page = of_page(site, visitor.open(flow.url()))
    assert steps(page) == [("registration", "registered"), ("authorization", "deleted")]
    flow.values |= {"refresh_token": "kept", "code": "kept"}
    line = last(of_answer(site, flow.refresh()))
    assert (line.step, line.cause) == ("refresh", "client_unknown")
    assert names(line, "not any more, registered here", "add it again")


def test_a_redirect_that_was_not_registered_is_named(site, flow, visitor):
    flow.register()
    page = visitor.open(flow.url(redirect_uri="http://127.0.0.1:3118/other?state=secret"))
    line = last(of_page(site, page))
    assert line.cause == "redirect_unregistered"
    assert line.about == {"redirect_uri": "http://127.0.0.1:3118/other"}


@pytest.mark.parametrize(
    ("changes", "cause", "word"),
    [
        ({"code_challenge": None}, "pkce_missing", "PKCE"),
        ({"code_challenge_method": "plain"}, "pkce_not_s256", "S256"),
        ({"code_challenge_method": None}, "pkce_not_s256", "S256"),
        ({"resource": "http://localhost:9001/other"}, "resource_unknown", "not registered here"),
        ({"scope": "invented:by-the-app"}, "scope_unknown", "None of the scopes"),
        ({"response_type": "token"}, "response_type", "Only code"),
        ({"prompt": "none"}, "login_required", "nobody was signed in"),
        ({"request": "x.y.z"}, "request_object", "request object"),
    ],
)
def test_a_request_that_asks_wrongly_is_told_by_its_fault(site, flow, visitor, changes, cause, word):
    flow.register({**PUBLIC, "redirect_uris": ["https://app.example/callback"]})
    page = site.get(flow.url(redirect_uri="https://app.example/callback", **changes))
    timeline = of_page(site, page)
    assert (last(timeline).step, last(timeline).cause) == ("authorization", cause)
    assert names(last(timeline), word)
    assert timeline.trace.client_id == flow.values["client_id"]


def test_an_app_that_sends_people_back_at_once_fails_in_the_same_way_for_the_administrator(site, flow, visitor):
    flow.register()
    assert "error=invalid_scope" in visitor.open(flow.url(scope="invented")).location
    (attempt,) = attempts(site)
    assert (attempt.cause, attempt.client_id) == ("scope_unknown", flow.values["client_id"])


def test_an_app_that_waits_for_approval_is_told_how_it_is_approved(site_with):
    site = site_with(registration="approval")
    flow = Flow(site)
    flow.register()
    line = last(of_page(site, Visitor(site).open(flow.url())))
    assert line.cause == "approval_pending"
    assert names(line, "authserver client approve")


def test_a_suspended_client_is_told_how_it_is_resumed(site, flow, visitor):
    flow.register()
    site.deployment.stores.clients.set_suspended(flow.values["client_id"], True, EVENT)
    line = last(of_page(site, visitor.open(flow.url())))
    assert line.cause == "suspended"
    assert names(line, "authserver client resume")


def test_a_metadata_document_that_cannot_be_had_is_named(site, flow, visitor):
    flow.values["client_id"] = "https://127.0.0.1/oauth/client.json"
    line = last(of_page(site, visitor.open(flow.url(redirect_uri="https://127.0.0.1/cb"))))
    assert line.cause == "document_unreadable"
    assert names(line, "metadata document", "authserver document pin")


def test_wrong_passwords_are_counted_on_the_attempt_that_they_belong_to(site_with):
    site = site_with(failed_sign_in_delay=30)
    flow = Flow(site)
    flow.register()
    visitor = Visitor(site)
    page = visitor._follow(visitor.http.get(flow.url(), base_url=visitor.origin))
    for _ in range(3):
        (form,) = (form for form in forms(page) if "password" in form.names())
        page = visitor.submit(page, form, {"username": "ada", "password": "wrong"})
    timeline = of_page(site, page)
    wrong, delayed = timeline.lines[-2:]
    assert (wrong.cause, wrong.times, delayed.cause, delayed.times) == ("wrong_password", 2, "sign_in_delayed", 1)
    assert timeline.trace.user_id is None, "nobody proved to be Ada"
    assert names(delayed, "too many failed sign-ins", "Wait")


@pytest.mark.parametrize(
    ("decision", "scopes", "cause"), [("deny", None, "denied"), ("allow", set(), "nothing_chosen")]
)
def test_what_a_person_decided_is_told(site, flow, visitor, decision, scopes, cause):
    flow.register()
    visitor.decide(flow.url(), decision, scopes)
    (attempt,) = attempts(site)
    line = last(told(site, attempt.id))
    assert (line.step, line.cause, line.words.verdict) == ("consent", cause, "failed")


def test_a_question_that_nobody_answers_waits(site, flow, visitor):
    flow.register()
    visitor.open(flow.url())
    assert attempts(site) == []
    (attempt,) = [one for one in attempts(site, failed=False) if one.step == "consent"]
    timeline = told(site, attempt.id)
    assert [line.words.verdict for line in timeline.lines] == ["ok", "ok", "ok", "waits"]
    assert names(last(timeline), "have not answered")


def test_a_mixed_up_verifier_is_told_on_the_attempt_of_its_code(site, flow, visitor):
    flow.register()
    flow.allow(visitor)
    timeline = of_answer(site, flow.token(code_verifier="another" * 10))
    assert steps(timeline)[-2:] == [("consent", "allowed"), ("token", "pkce_mismatch")]
    assert names(last(timeline), "code_verifier", "two attempts at once")


def test_a_token_request_with_another_redirect_is_told(site, flow, visitor):
    flow.register()
    flow.allow(visitor)
    timeline = of_answer(site, flow.token(redirect_uri="http://127.0.0.1:5001/callback"))
    assert steps(timeline)[-2:] == [("consent", "allowed"), ("token", "redirect_mismatch")]


def test_a_code_that_came_too_late_is_told(site, flow, visitor):
    flow.register()
    flow.allow(visitor)
    passes(site, "authorization_codes", "expires_at", 120, client_id=flow.values["client_id"])
    timeline = of_answer(site, flow.token())
    assert steps(timeline)[-2:] == [("consent", "allowed"), ("token", "code_expired")]
    assert names(last(timeline), "too late")


def test_a_replayed_code_is_told_with_what_it_cost(site, flow, visitor):
    flow.tokens(visitor)
    passes(site, "authorization_codes", "redeemed_at", 60, client_id=flow.values["client_id"])
    timeline = of_answer(site, flow.token())
    assert steps(timeline)[-2:] == [("token", "token_issued"), ("token", "code_replayed")]
    assert names(last(timeline), "revoked")


def test_a_code_of_which_nothing_is_known_is_told_on_the_attempt_of_its_verifier(site, flow, visitor):
    flow.register()
    flow.allow(visitor)
    timeline = of_answer(site, flow.token(code="mcpc_of_another_server"))
    assert steps(timeline)[-2:] == [("consent", "allowed"), ("token", "code_unknown")]


def test_a_grant_that_was_revoked_before_the_exchange_is_told(site, flow, visitor):
    flow.register()
    flow.allow(visitor)
    stores = site.deployment.stores
    (grant,) = [one for one in stores.grants.page("", None, 10) if one.client_id == flow.values["client_id"]]
    assert stores.grants.revoke(grant.id, EVENT)
    timeline = of_answer(site, flow.token())
    assert last(timeline).cause == "grant_ended"


def test_a_wrong_secret_is_told_on_the_attempt_of_the_code(site, flow, visitor):
    flow.register({**PUBLIC, "token_endpoint_auth_method": "client_secret_post"})
    flow.allow(visitor)
    timeline = of_answer(site, flow.token(client_secret="wrong"))
    assert steps(timeline)[-2:] == [("consent", "allowed"), ("token", "client_not_proven")]
    assert names(last(timeline), "secret", "rotate-secret")


def test_a_refresh_token_that_another_process_had_used_is_told_with_person_and_grant(site, flow, visitor):
    flow.tokens(visitor)
    old = flow.values["refresh_token"]
    assert flow.refresh().status_code == 200
    passes(site, "refresh_tokens", "rotated_at", 3600, digest=credential.digest(old))
    flow.values["refresh_token"] = old
    timeline = of_answer(site, flow.refresh())
    assert last(timeline).cause == "refresh_reused"
    assert names(last(timeline), "family was revoked", "newest token")
    assert timeline.username == "ada"


@pytest.mark.parametrize(
    ("settings", "body", "cause", "word"),
    [
        ({}, {**PUBLIC, "redirect_uris": ["http://app.example/callback"]}, "redirect_refused", "localhost"),
        ({}, {**PUBLIC, "token_endpoint_auth_method": "unheard-of"}, "metadata_refused", "what the app said of itself"),
        ({"registration": "token"}, PUBLIC, "not_admitted", "authserver registration-token add"),
    ],
)
def test_a_registration_that_is_refused_is_told_though_no_person_saw_it(site_with, settings, body, cause, word):
    site = site_with(**settings)
    timeline = of_answer(site, site.post("/register", json=body))
    assert steps(timeline) == [("registration", cause)]
    assert names(last(timeline), word)
    assert [one.cause for one in attempts(site)] == [cause]


def test_a_closed_registration_is_told(site_with):
    site = site_with(registration="closed")
    assert site.post("/register", json=PUBLIC).status_code == 404
    (attempt,) = attempts(site)
    assert names(last(told(site, attempt.id)), "registration is closed", "authserver client add")


def test_a_document_that_is_the_mcp_servers_is_told_as_such(site):
    page = site.get("/.well-known/oauth-protected-resource")
    assert page.status_code == 404
    line = last(of_page(site, page))
    assert (line.step, line.cause, line.about) == (
        "discovery", "document_missing", {"path": "/.well-known/oauth-protected-resource"},
    )  # fmt: skip
    assert names(line, "the MCP server’s URL")


def test_the_next_attempt_of_an_app_has_a_reference_of_its_own(site, flow, visitor):
    flow.register()
    first = reference_on(visitor.open(flow.url(redirect_uri="http://127.0.0.1/a")))
    again = reference_on(visitor.open(flow.url(redirect_uri="http://127.0.0.1/b")))
    other = Flow(site, client=flow.client)
    other.values["client_id"] = flow.values["client_id"]
    another = reference_on(visitor.open(other.url(redirect_uri="http://127.0.0.1/a")))
    assert first == again != another


def test_the_audit_trail_has_the_reference_of_the_attempt(site, flow, visitor):
    flow.tokens(visitor)
    (attempt,) = [one for one in attempts(site, failed=False) if one.step == "token"]
    trail = site.deployment.stores.audit.page(AuditFilter(), None, 100)
    found = {line.event.name for line in trail if line.event.origin.correlation_id == attempt.id}
    assert {"sign_in.succeeded", "grant.approved"} <= found
