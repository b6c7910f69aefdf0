"""What may be registered, how often, and by how many together (CR-2)."""

from typing import Any

import pytest

from authserver.protocol import credential
from authserver.protocol.audit import Event
from tests.conformance.flow import LOOPBACK, PUBLIC, Flow
from tests.conformance.site import Site, open_app
from tests.conformance.visitor import Visitor

EVENT = Event("test.done", "system")
CLAUDE = "https://claude.ai/api/mcp/auth_callback"


def hosted(*hosts: str) -> dict[str, Any]:
    return {**PUBLIC, "redirect_uris": [f"https://{host}/cb" for host in hosts]}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def register_from(site: Site, address: str, body: dict[str, Any]) -> int:
    return site.post("/register", json=body, environ_base={"REMOTE_ADDR": address}).status_code


@pytest.mark.requirement("CR-2")
def test_only_listed_redirect_hosts_may_be_registered_or_changed_to(site_with: Any) -> None:
    site = site_with(registration_redirect_hosts=["claude.ai", "localhost"])
    assert Flow(site).register(hosted("claude.ai")).status_code == 201
    flow = Flow(site)
    assert flow.register().status_code == 201
    mixed = {**PUBLIC, "redirect_uris": [CLAUDE, LOOPBACK, "https://evil.example/cb"]}
    own = bearer(flow.client["registration_access_token"])
    path = f"/register/{flow.client['client_id']}"
    for answer in (Flow(site).register(mixed), site.app.test_client().put(path, headers=own, json=mixed)):
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_redirect_uri")
        assert "redirect_uris[2]" in answer.json["error_description"]
        assert "evil.example" in answer.json["error_description"]
    assert site.get(path, headers=own).status_code == 200, "a refused update rotates nothing"


@pytest.mark.requirement("CR-2", "CR-6", "AZ-2")
def test_people_are_no_longer_sent_where_the_list_does_not_let_clients_register_any_more(
    site_with: Any,
) -> None:
    open_site = site_with()
    flow = Flow(open_site)
    flow.register({**PUBLIC, "redirect_uris": [LOOPBACK, CLAUDE]})
    settings = open_site.deployment.settings
    app = open_app(settings.database_url, settings.home, registration_redirect_hosts=["localhost"])
    site = Site(app, app.extensions["authserver"])
    flow.site = site
    page = Visitor(site).open(flow.url(redirect_uri=CLAUDE))
    assert (page.status_code, page.location) == (400, None)
    assert "does not send people there" in page.text
    assert "code" in flow.allow(Visitor(site))
    site.deployment.stores.database.close()


@pytest.mark.requirement("CR-2")
def test_a_hosted_client_that_registers_for_each_connection_is_not_taken_for_a_flood(site_with: Any) -> None:
    site = site_with(registrations_per_address="2 per hour", hosted_registrations_per_address="9 per hour")
    assert [register_from(site, "192.0.2.1", hosted("claude.ai")) for _ in range(9)] == [201] * 9
    assert register_from(site, "192.0.2.1", hosted("claude.ai")) == 429
    assert register_from(site, "192.0.2.1", hosted("chatgpt.com")) == 201, "others behind the address are not affected"
    assert register_from(site, "192.0.2.2", hosted("claude.ai")) == 201
    assert [register_from(site, "192.0.2.1", PUBLIC) for _ in range(3)] == [201, 201, 429]
    mixed = {**PUBLIC, "redirect_uris": ["https://claude.ai/cb", "app://host/cb"]}
    assert [register_from(site, "192.0.2.1", mixed) for _ in range(3)] == [201, 201, 429]


@pytest.mark.requirement("CR-2")
def test_naming_new_hosts_does_not_get_an_address_over_its_ceiling(site_with: Any) -> None:
    site = site_with(registration_flood_per_address="5 per hour")
    statuses = [register_from(site, "2001:db8::1", hosted(f"h{number}.example")) for number in range(5)]
    assert statuses == [201] * 5
    assert register_from(site, "2001:db8::ffff", hosted("another.example")) == 429, "the same customer's network"
    assert register_from(site, "2001:db8:0:1::1", hosted("another.example")) == 201


@pytest.mark.requirement("CR-2", "CR-3")
def test_all_together_cannot_fill_the_table(site_with: Any) -> None:
    site = site_with(most_unused_registrations=100)
    for number in range(100):
        assert register_from(site, f"192.0.2.{number}", PUBLIC) == 201
    answer = site.post("/register", json=PUBLIC)
    assert (answer.status_code, answer.json["error"]) == (429, "temporarily_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert site.deployment.stores.registrations.count_unused(1000) == 100


@pytest.mark.requirement("CR-2")
def test_a_refused_body_is_not_counted(site_with: Any) -> None:
    site = site_with(registrations_per_address="1 per hour")
    assert [register_from(site, "192.0.2.1", {}) for _ in range(3)] == [400] * 3
    assert register_from(site, "192.0.2.1", PUBLIC) == 201


@pytest.mark.requirement("CR-2")
def test_identical_public_registrations_share_a_client_that_nobody_can_change(site_with: Any) -> None:
    site = site_with(share_identical_registrations=True)
    one, two = Flow(site), Flow(site)
    first = one.register({**PUBLIC, "redirect_uris": ["http://127.0.0.1:5000/callback"]}).json
    second = two.register({**PUBLIC, "redirect_uris": ["http://127.0.0.1:6000/callback"]}).json
    assert first["client_id"] == second["client_id"]
    assert (first["redirect_uris"], second["redirect_uris"]) == (
        ["http://127.0.0.1:5000/callback"],
        ["http://127.0.0.1:6000/callback"],
    )
    for answer in (first, second):
        assert not {"registration_access_token", "registration_client_uri", "client_secret"} & answer.keys()
    path = f"/register/{first['client_id']}"
    for token in ("", "x", first["client_id"]):
        assert site.get(path, headers=bearer(token)).status_code == 401
        assert site.app.test_client().delete(path, headers=bearer(token)).status_code == 401


@pytest.mark.requirement("CR-2")
@pytest.mark.parametrize("uri", ["http://127.0.0.1:5000/callback", "http://127.0.0.1:61234/callback"])
def test_a_shared_client_connects_on_any_loopback_port(site_with: Any, uri: str) -> None:
    site = site_with(share_identical_registrations=True)
    Flow(site).register({**PUBLIC, "redirect_uris": ["http://127.0.0.1:1/callback"]})
    flow = Flow(site)
    flow.register({**PUBLIC, "redirect_uris": [uri]})
    assert "code" in flow.allow(Visitor(site), redirect_uri=uri)
    assert flow.token(redirect_uri=uri).status_code == 200


@pytest.mark.requirement("CR-2")
@pytest.mark.parametrize(
    "change",
    [
        {"client_name": "Another"},
        {"redirect_uris": ["http://127.0.0.1:5000/other"]},
        {"redirect_uris": ["http://localhost:5000/callback"]},
        {"redirect_uris": [LOOPBACK, "https://a.example/cb"]},
        {"grant_types": ["authorization_code"]},
        {"client_uri": "https://a.example"},
        {"software_version": "2"},
        {"token_endpoint_auth_method": "client_secret_post"},
    ],
)
def test_registrations_that_differ_share_nothing(site_with: Any, change: dict[str, Any]) -> None:
    site = site_with(share_identical_registrations=True)
    first = Flow(site).register().json
    second = Flow(site).register({**PUBLIC, **change}).json
    assert first["client_id"] != second["client_id"]


@pytest.mark.requirement("CR-2", "CR-12")
def test_who_has_a_secret_shares_it_with_nobody(site_with: Any) -> None:
    site = site_with(share_identical_registrations=True)
    body = {**PUBLIC, "token_endpoint_auth_method": "client_secret_basic"}
    made = [Flow(site).register(body).json for _ in range(2)]
    assert made[0]["client_id"] != made[1]["client_id"]
    assert all(answer["registration_access_token"] for answer in made)


@pytest.mark.requirement("CR-2")
def test_without_the_setting_nothing_is_shared(flow: Flow, site: Site) -> None:
    assert flow.register().json["client_id"] != Flow(site).register().json["client_id"]


@pytest.mark.requirement("CR-2", "CR-3")
def test_joining_a_shared_registration_costs_a_tokens_use(site_with: Any) -> None:
    site = site_with(share_identical_registrations=True, registration="token")
    tokens = site.deployment.stores.initial_access_tokens
    tokens.add(credential.digest("ticket"), "CI", 2, None, EVENT)
    answers = [site.post("/register", json=PUBLIC, headers=bearer("ticket")).status_code for _ in range(3)]
    assert answers == [201, 201, 401]
