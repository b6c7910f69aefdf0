"""What a scrape tells: of requests by endpoint, grant type and error, of caches, pool, keys and what waits."""

import pytest

from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import PASSWORD
from tests.conformance.visitor import Visitor

from .scrape import Scrape

COUNT = "authserver_request_duration_seconds_count"
ERRORS = "authserver_request_errors_total"
TOKEN = "a token for whoever reads metrics"


@pytest.fixture
def watched(site_with):
    return site_with(metrics_token=TOKEN)


def scraped(site) -> Scrape:
    answer = site.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return Scrape(answer.text)


def test_requests_are_counted_by_endpoint_grant_type_and_class_of_status(watched):
    flow, visitor = Flow(watched), Visitor(watched)
    flow.register()
    flow.tokens(visitor)
    assert flow.refresh().status_code == 200
    assert watched.post("/token", data={"grant_type": "a stranger's word"}).status_code >= 400
    found = scraped(watched)
    for grant in ("authorization_code", "refresh_token"):
        assert found.value(COUNT, endpoint="token", grant=grant, status="2xx") == 1
    assert found.value(COUNT, endpoint="token", grant="other", status="4xx") == 1
    assert found.value(COUNT, endpoint="register", status="2xx") == 1
    assert found.value(COUNT, endpoint="authorize") >= 2
    assert found.value("authserver_request_duration_seconds_bucket", endpoint="register", le="+Inf") == 1


def test_errors_are_counted_by_their_code(watched):
    flow = Flow(watched)
    flow.register()
    assert flow.token(code="none", redirect_uri="http://127.0.0.1:5000/callback").status_code == 400
    assert flow.token(client_id="nobody", code="none").status_code == 401
    assert watched.get("/nothing/here").status_code == 404
    assert watched.post("/token", data={}).status_code >= 400
    found = scraped(watched)
    assert found.value(ERRORS, endpoint="token", grant="authorization_code", error="invalid_grant") == 1
    assert found.value(ERRORS, endpoint="token", error="invalid_client") >= 1
    assert found.value(ERRORS, endpoint="none", error="http_404") == 1


def test_who_comes_too_often_is_told_apart_from_a_server_that_fails(site_with):
    site = site_with(metrics_token=TOKEN, registration_flood_per_address="1 per hour")
    assert [site.post("/register", json=PUBLIC).status_code for _ in range(2)] == [201, 429]
    assert scraped(site).value(ERRORS, endpoint="register", error="slow_down") == 1


def test_no_word_of_a_stranger_becomes_a_label(watched):
    strange = "zebra"
    watched.get(f"/{strange}?{strange}={strange}", headers={"User-Agent": strange})
    watched.get(f"/register/{strange}")
    watched.get(f"/.well-known/{strange}")
    watched.app.test_client().open("/token", method=strange.upper())
    watched.post("/token", data={"grant_type": strange, "client_id": strange, "scope": strange})
    found = scraped(watched)
    assert not [word for word in found.words() if strange in word.lower()]


def test_all_that_is_watched_is_there_before_anything_has_happened(watched):
    found = scraped(watched)
    assert found.value("authserver_database_up") == 1
    assert found.value("authserver_workers") == 1
    assert found.value("authserver_database_connections", state="most") > 0
    assert found.value("authserver_worker_resident_bytes") > 10_000_000
    assert found.value("authserver_key_rotation_due_seconds", alg="ES256", purpose="tokens") > 80 * 86_400
    assert 0 <= found.value("authserver_key_age_seconds", alg="ES256", purpose="status") < 600
    assert found.value("authserver_waiting_messages", kind="mail") == 0
    assert found.value("authserver_build_info") == 1


def test_caches_count_what_was_there_and_what_was_not(watched):
    flow = Flow(watched)
    flow.register()
    for _ in range(3):
        flow.token(code="none")
    found = scraped(watched)
    assert found.value("authserver_cache_requests_total", cache="clients", result="miss") >= 1
    assert found.value("authserver_cache_requests_total", cache="clients", result="hit") >= 2


def test_sign_ins_are_counted_by_how_they_went(watched):
    Visitor(watched).open("/account/connections")
    visitor = Visitor(watched, "nobody")
    visitor.open("/account/connections")
    found = scraped(watched)
    assert found.value("authserver_sign_ins_total", outcome="succeeded") == 1
    assert found.value("authserver_sign_ins_total", outcome="refused") == 1
    assert found.value("authserver_password_hash_turns_total") >= 2


def test_what_is_over_a_ceiling_is_counted_by_the_ceilings_name(watched):
    ceiling = watched.deployment.stores.ceilings.of("passkeys", "1 per hour")
    while not ceiling.take("somebody"):
        pass
    found = scraped(watched)
    assert found.value("authserver_ceilings_refused_total", ceiling="passkeys") == 1
    assert found.value("authserver_ceilings_shared") == 0


@pytest.mark.parametrize("shown", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
def test_metrics_are_for_who_has_their_token(watched, shown):
    answer = watched.get("/metrics", headers=shown)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "authserver_" not in answer.text


def test_without_a_token_there_is_no_such_path(site):
    assert site.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_a_password_is_in_no_metric(watched):
    Visitor(watched).open("/account/connections")
    answer = watched.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert PASSWORD not in answer.text
    assert TOKEN not in answer.text
