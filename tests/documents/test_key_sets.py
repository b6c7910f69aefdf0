"""Clients that prove themselves by keys which they publish: fetched at authorize, used at the token endpoint."""

import threading
import time
from typing import Any

import pytest
from werkzeug.test import TestResponse

from authserver.protocol.audit import Event
from authserver.protocol.client import AuthMethod, Client, ClientKind
from authserver.services.later import MOST_WAITING, THREADS
from tests.conformance.flow import LOOPBACK, Flow
from tests.conformance.signer import Signer
from tests.conformance.visitor import Visitor

from .ageing import age
from .conftest import NETWORKS
from .publisher import Host, Publisher
from .test_authorize import DOCUMENT, known_by

pytestmark = pytest.mark.requirement("CR-12")
PATIENCE = 30  # seconds, on a busy machine
KEYED = {**DOCUMENT, "token_endpoint_auth_method": "private_key_jwt"}


def eventually(answers: Any, status: int) -> TestResponse:
    """What *answers* gives when its status is *status* at last: fetches go on in the background."""
    until = time.monotonic() + PATIENCE
    while (answer := answers()).status_code != status and time.monotonic() < until:
        time.sleep(0.02)
    assert answer.status_code == status, answer.text
    return answer


def proves(flow: Flow, signer: Signer) -> TestResponse:
    """A request whose answer tells whether the client was recognised: 400 if it was, else 401 or 503."""
    form = {"grant_type": "refresh_token", "refresh_token": "none", **signer.form(flow.values["client_id"])}
    return flow.site.post("/token", data=form)


@pytest.fixture
def signer() -> Signer:
    return Signer.new("RS256")


@pytest.fixture
def keyed(flow: Flow, publisher: Publisher, signer: Signer) -> Flow:
    keys = publisher.publish("/keys.json", signer.jwks)
    known_by(flow, publisher.publish("/client.json", {**KEYED, "jwks_uri": keys}))
    return flow


@pytest.mark.requirement("CR-7", "CR-13")
def test_a_client_gets_its_tokens_by_the_keys_behind_its_jwks_uri(keyed: Flow, visitor: Visitor, signer: Signer):
    keyed.allow(visitor)
    answer = eventually(lambda: keyed.token(**signer.form(keyed.values["client_id"])), 200)
    assert answer.json["scope"] == "notes:read"


def test_a_client_whose_keys_are_not_here_yet_is_asked_to_come_again(
    keyed: Flow, visitor: Visitor, publisher: Publisher, signer: Signer
):
    assert proves(keyed, signer).status_code == 401, "nobody has allowed it anything yet"
    assert publisher.asked == [], "so nothing is fetched for it"
    kept = publisher.pages.pop("/keys.json")
    keyed.allow(visitor)
    eventually(lambda: proves(keyed, signer), 401)
    publisher.pages["/keys.json"] = kept
    age(keyed.site, 61)
    again = proves(keyed, signer)
    assert (again.status_code, again.headers["Retry-After"]) == (503, "2")
    eventually(lambda: proves(keyed, signer), 400)


def test_a_key_that_was_published_since_is_found_a_moment_later(
    keyed: Flow, visitor: Visitor, publisher: Publisher, signer: Signer
):
    keyed.allow(visitor)
    eventually(lambda: proves(keyed, signer), 400)
    newer = Signer.new("ES256", "key-2")
    publisher.publish("/keys.json", {"keys": [signer.jwk, newer.jwk]})
    assert proves(keyed, newer).status_code == 401, "fetched a moment ago: strangers cannot make us ask all the time"
    age(keyed.site, 60)
    again = proves(keyed, newer)
    assert (again.status_code, again.headers["Retry-After"]) == (503, "2")
    eventually(lambda: proves(keyed, newer), 400)
    assert publisher.asked.count("/keys.json") == 2


def test_a_rotation_of_keys_asks_no_person(keyed: Flow, visitor: Visitor, publisher: Publisher, signer: Signer):
    hosted = "https://app.example/callback"
    keyed.allow(visitor, redirect_uri=hosted)
    publisher.publish("/keys.json", Signer.new("ES256", "key-2").jwks)
    age(keyed.site, 7200)
    assert visitor.http.get(keyed.url(redirect_uri=hosted)).location.startswith(hosted)


@pytest.mark.parametrize("keys", [{"keys": []}, {"keys": [{"kty": "oct", "k": "AAAA"}]}, {"no": "keys"}])
def test_a_set_without_a_usable_public_key_proves_nobody(
    flow: Flow, visitor: Visitor, publisher: Publisher, signer: Signer, keys
):
    where = publisher.publish("/keys.json", keys)
    known_by(flow, publisher.publish("/client.json", {**KEYED, "jwks_uri": where}))
    flow.allow(visitor)
    eventually(lambda: proves(flow, signer), 401)


@pytest.mark.requirement("CR-9")
def test_a_document_that_another_client_calls_its_key_set_is_not_spoiled(
    flow: Flow, visitor: Visitor, publisher: Publisher, signer: Signer
):
    """What is right as a document is wrong as a key set, and that must not count as a failure of the document."""
    victim = publisher.publish("/victim.json", DOCUMENT)
    known_by(flow, publisher.publish("/client.json", {**KEYED, "jwks_uri": victim}))
    flow.allow(visitor)
    eventually(lambda: proves(flow, signer), 401)
    assert "/victim.json" in publisher.asked
    known_by(flow, victim)
    assert flow.site.get(flow.url()).status_code == 303


@pytest.mark.requirement("CR-8")
def test_a_jwks_uri_is_fetched_under_the_policy_for_strangers(
    flow: Flow, visitor: Visitor, publisher: Publisher, signer: Signer
):
    """The document's host is excepted, the keys' host is not: another name for the same machine."""
    elsewhere = publisher.publish("/keys.json", signer.jwks).replace("localhost", "127.0.0.1")
    known_by(flow, publisher.publish("/client.json", {**KEYED, "jwks_uri": elsewhere}))
    flow.allow(visitor)
    eventually(lambda: proves(flow, signer), 401)
    assert publisher.asked == ["/client.json"]


@pytest.mark.requirement("CR-8", "CR-11")
def test_sources_that_strangers_slow_down_hold_up_no_administrators_entry(
    site_with, publishing: Host, publisher: Publisher, authority, signer: Signer
):
    networks = [f"{publishing.authority}={NETWORKS}"]
    flow = Flow(site_with(fetch_entered_networks=networks, fetch_ca_file=str(authority.ca_file)))
    slow = threading.Event()

    def wait() -> None:
        slow.wait()

    for number in range(THREADS + MOST_WAITING):
        flow.site.deployment.known_clients.keys.later.do(f"slow {number}", wait)
    enter(flow, publisher.publish("/keys.json", signer.jwks))
    eventually(lambda: proves(flow, signer), 400)
    slow.set()


def enter(flow: Flow, jwks_uri: str) -> None:
    """Have the client be one that an administrator entered."""
    entered = Client(
        "entered", ClientKind.PREREGISTERED, "Entered", (LOOPBACK,), AuthMethod.PRIVATE_KEY_JWT,
        ("authorization_code",), 0, jwks_uri=jwks_uri,
    )  # fmt: skip
    flow.site.deployment.stores.clients.preregister(entered, Event("client.added", "system"))
    known_by(flow, "entered")


@pytest.mark.requirement("CR-8", "CR-11")
@pytest.mark.parametrize(("setting", "status"), [("fetch_entered_networks", 400), ("fetch_exceptions", 401)])
def test_an_administrators_entry_has_a_policy_of_its_own(
    site_with, publishing: Host, publisher: Publisher, authority, signer: Signer, setting: str, status: int
):
    excepted = {setting: [f"{publishing.authority}={NETWORKS}"], "fetch_ca_file": str(authority.ca_file)}
    flow = Flow(site_with(**excepted))
    enter(flow, publisher.publish("/keys.json", signer.jwks))
    eventually(lambda: proves(flow, signer), status)
    known_by(flow, publisher.publish("/client.json", DOCUMENT))
    assert flow.site.get(flow.url()).status_code == (400 if setting == "fetch_entered_networks" else 303)
