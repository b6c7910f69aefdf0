"""Unmodified clients that are known by a metadata document: nobody registers, and the document is fetched over TLS."""

from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, expect

from tests.database import Databases
from tests.documents.publisher import Publisher, host
from tests.outbound.authority import Authority

from .conftest import ClientOf
from .person import Person
from .stage import Stage, stage
from .test_whole_dance import in_order, refresh

FIRST_STEPS = [
    "POST /mcp 401",
    "GET /.well-known/oauth-protected-resource/mcp 200",
    "GET /.well-known/oauth-authorization-server 200",
    "POST /token 200",
]
DOCUMENT = {
    "client_name": "Published host",
    "redirect_uris": ["http://127.0.0.1/callback", "http://localhost/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def publisher(authority: Authority) -> Iterator[Publisher]:
    with host(authority) as found:
        yield found.publisher()


@pytest.fixture(scope="module")
def excepting(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, authority: Authority, publisher: Publisher
) -> Iterator[Stage]:
    """The demo's servers, whose operator excepted the publisher's host from the policy for strangers' URLs."""
    url, authority_of_url = databases.create(), publisher.base.split("/")[2]
    excepted = f'["{authority_of_url}=127.0.0.0/8,::1/128"]'
    with stage(
        tmp_path_factory.mktemp("excepting"),
        url,
        AUTHSERVER_FETCH_EXCEPTIONS=excepted,
        AUTHSERVER_FETCH_CA_FILE=str(authority.ca_file),
    ) as found:
        yield found
    databases.drop(url)


@pytest.fixture
def person_there(browser: Browser, excepting: Stage) -> Iterator[Person]:
    found = Person(browser, excepting, excepting.user)
    yield found
    found.context.close()


@pytest.mark.requirement("CR-7", "CR-8", "CR-9", "DI-4")
@pytest.mark.parametrize("kind", ["python", "typescript", "typescript-sdk1"])
def test_a_client_is_known_by_its_document(
    kind: str, excepting: Stage, client_of: ClientOf, person_there: Person, publisher: Publisher
) -> None:
    url = publisher.publish(f"/{kind}.json", DOCUMENT)
    client = client_of(kind, url=excepting.resource, CLIENT_METADATA_URL=url)
    client.do("connect", decide=person_there.allow)
    assert in_order(FIRST_STEPS, client.requests), client.requests
    assert not any("/register" in step for step in client.requests)
    assert client.client_id == url
    client.do("call", tool="list_notes", arguments={})
    refresh(client)
    assert publisher.asked.count(f"/{kind}.json") == 1


@pytest.mark.requirement("CR-8", "AZ-2")
def test_the_default_policy_refuses_that_host(running: Stage, person: Person, publisher: Publisher) -> None:
    url = publisher.publish("/refused.json", DOCUMENT)
    asked = {"client_id": url, "response_type": "code", "redirect_uri": "http://127.0.0.1/callback"}
    page = httpx2.get(f"{running.issuer}/authorize", params=asked)
    assert page.status_code == 400
    person.page.goto(str(page.url))
    expect(person.page.get_by_text(url).first).to_be_visible()
    assert "/refused.json" not in publisher.asked
