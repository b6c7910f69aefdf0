"""Clients that name themselves by the URL of their metadata document, from the first request to the token."""

import logging
from collections.abc import Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from authserver.protocol.audit import Event
from authserver.protocol.client import ClientKind
from tests.conformance.flow import LOOPBACK, Flow
from tests.conformance.site import open_app
from tests.conformance.visitor import Visitor

from .publisher import Page, Publisher

DOCUMENT = {
    "client_name": "Published",
    "redirect_uris": [LOOPBACK, "https://app.example/callback"],
    "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}


def known_by(flow: Flow, url: str) -> str:
    flow.client = {"client_id": url}
    flow.values["client_id"] = url
    return url


@pytest.mark.requirement("CR-7", "CR-14")
def test_a_client_is_known_by_its_document_from_consent_to_refresh(
    flow: Flow, visitor: Visitor, publisher: Publisher
) -> None:
    url = known_by(flow, publisher.publish("/client.json", DOCUMENT))
    tokens = flow.tokens(visitor)
    assert tokens["scope"] == "notes:read"
    assert flow.refresh().status_code == 200
    client = flow.site.deployment.stores.clients.find_fresh(url)
    assert (client.kind, client.name) == (ClientKind.METADATA_DOCUMENT, "Published")
    assert client.grant_types == ("authorization_code", "refresh_token")
    assert publisher.asked == ["/client.json"], "fetched once, and never by the token endpoint"


@pytest.mark.requirement("CR-7")
def test_what_a_stranger_names_is_not_kept_as_a_client(flow: Flow, publisher: Publisher) -> None:
    url = known_by(flow, publisher.publish("/client.json", DOCUMENT))
    assert flow.site.get(flow.url()).status_code == 303
    assert flow.site.deployment.stores.clients.find_fresh(url) is None


@pytest.mark.requirement("CR-7")
def test_a_client_that_was_deleted_comes_back_when_a_person_allows_it_anew(
    flow: Flow, visitor: Visitor, publisher: Publisher
) -> None:
    url = known_by(flow, publisher.publish("/client.json", DOCUMENT))
    first = flow.tokens(visitor)
    flow.site.deployment.stores.clients.delete(url, Event("client.deleted", "system"))
    assert flow.refresh(refresh_token=first["refresh_token"]).status_code == 401
    assert flow.tokens(visitor)["scope"] == "notes:read"
    assert flow.refresh(refresh_token=first["refresh_token"]).json["error"] == "invalid_grant"


@pytest.mark.requirement("CR-9")
def test_a_cold_document_is_fetched_once_however_many_ask(flow: Flow, publisher: Publisher) -> None:
    known_by(flow, publisher.publish("/client.json", DOCUMENT))
    publisher.going.clear()
    with ThreadPoolExecutor(4) as crowd:
        answers = [crowd.submit(flow.site.get, flow.url()) for _ in range(4)]
        publisher.going.set()
        statuses = {answer.result().status_code for answer in answers}
    assert statuses == {303}
    assert publisher.asked == ["/client.json"]


@pytest.mark.requirement("CR-8")
def test_by_default_no_host_on_this_machine_is_fetched_from(site_with, publisher: Publisher) -> None:
    flow = Flow(site_with())
    known_by(flow, publisher.publish("/client.json", DOCUMENT))
    page = flow.site.get(flow.url())
    assert page.status_code == 400
    assert publisher.asked == []


@pytest.mark.requirement("CR-7", "AZ-2")
@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "https://else.example/client.json"},
        {"client_name": ""},
        {"client_name": 7},
        {"redirect_uris": []},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"client_secret": "hunter2"},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "private_key_jwt"},
    ],
)
def test_a_document_that_is_not_right_is_a_page_and_makes_no_client(
    flow: Flow, publisher: Publisher, wrong: dict[str, object]
) -> None:
    url = known_by(flow, publisher.publish("/client.json", {**DOCUMENT, **wrong}))
    page = flow.site.get(flow.url())
    assert page.status_code == 400
    assert "document" in page.text
    assert page.location is None
    assert flow.site.deployment.stores.clients.find_fresh(url) is None


@pytest.mark.requirement("CR-9")
def test_a_failure_is_remembered_for_a_while_and_says_nothing_of_what_answered(
    flow: Flow, publisher: Publisher
) -> None:
    known_by(flow, publisher.publish("/client.json", DOCUMENT))
    publisher.pages["/client.json"] = Page(b"<h1>private area 403</h1>", "403 Forbidden", content_type="text/html")
    pages = [flow.site.get(flow.url()) for _ in range(3)]
    assert {page.status_code for page in pages} == {400}
    assert not any("Forbidden" in page.text or "private area" in page.text for page in pages)
    assert publisher.asked == ["/client.json"]


@pytest.fixture
def log() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged from INFO on, which other tests leave unsaid."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    with capture_logs() as lines:
        yield lines
    structlog.configure(**before)


@pytest.mark.requirement("CR-8")
def test_the_log_tells_an_administrator_why_a_document_was_not_fetched(flow: Flow, publisher: Publisher, log) -> None:
    url = known_by(flow, publisher.base + "/absent.json")
    flow.site.get(flow.url())
    assert [(line["url"], line["reason"]) for line in log if line["event"] == "fetch.refused"] == [(url, "status")]


@pytest.mark.requirement("CR-7")
@pytest.mark.parametrize("path", ["/../..", "/a/../client.json", "/client.json#x", "/%2e%2e/client.json", "/a b"])
def test_what_is_no_clients_url_is_not_fetched(flow: Flow, publisher: Publisher, path: str) -> None:
    known_by(flow, publisher.base + path)
    assert flow.site.get(flow.url()).status_code == 400
    assert publisher.asked == []


@pytest.mark.requirement("CR-7", "CR-15")
def test_the_token_endpoint_never_fetches(flow: Flow, publisher: Publisher) -> None:
    known_by(flow, publisher.publish("/client.json", DOCUMENT))
    flow.values["code"] = "mcpc_unknown"
    answer = flow.token()
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
    assert publisher.asked == []


@pytest.mark.requirement("DI-4", "CR-7")
def test_metadata_says_whether_documents_are_taken(trusting_site, publisher: Publisher) -> None:
    for switched_on in (True, False):
        site = trusting_site(metadata_documents=switched_on)
        found = site.get("/.well-known/oauth-authorization-server").json
        assert found.get("client_id_metadata_document_supported", False) is switched_on
        assert "none" in found["token_endpoint_auth_methods_supported"]
        flow = Flow(site)
        known_by(flow, publisher.publish("/client.json", DOCUMENT))
        assert flow.site.get(flow.url()).status_code == (303 if switched_on else 400)


@pytest.mark.requirement("CR-7", "DI-4")
def test_where_documents_are_switched_off_a_client_that_is_known_by_one_asks_nobody_any_more(
    trusting_site, publisher: Publisher
) -> None:
    flow = Flow(trusting_site())
    known_by(flow, publisher.publish("/client.json", DOCUMENT))
    flow.allow(Visitor(flow.site))
    settings = flow.site.deployment.settings
    app = open_app(settings.url_of_database, settings.home, metadata_documents=False)
    page = app.test_client().get(flow.url())
    app.extensions["authserver"].stores.database.close()
    assert (page.status_code, page.location) == (400, None)
    assert "not registered here" in page.text
