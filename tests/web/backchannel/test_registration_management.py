"""A client's own registration, line by line of RFC 7592 (CR-4)."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import Site

SECRET = {**PUBLIC, "token_endpoint_auth_method": "client_secret_post"}
FULL = {
    **PUBLIC,
    "client_uri": "https://a.example/",
    "contacts": ["a@a.example"],
    "software_id": "s",
    "scope": "notes:read",
}


class Managed:
    """A registered client and its registration access token."""

    def __init__(self, site: Site, body: dict[str, Any]) -> None:
        self.http = site.app.test_client()
        self.made = Flow(site).register(body).json
        self.path = f"/register/{self.made['client_id']}"
        self.token = self.made["registration_access_token"]

    def ask(self, method: str, body: dict[str, Any] | None = None, token: str | None = None) -> TestResponse:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        answer = self.http.open(self.path, method=method, headers=headers, json=body)
        if method == "PUT" and answer.status_code == 200:
            self.token = answer.json["registration_access_token"]
        return answer


@pytest.fixture
def managed(site: Site) -> Managed:
    return Managed(site, FULL)


@pytest.mark.requirement("CR-4")
def test_each_answer_has_all_that_is_registered_and_is_kept_by_no_cache(managed: Managed) -> None:
    for method in ("GET", "PUT"):
        answer = managed.ask(method, FULL if method == "PUT" else None)
        assert answer.status_code == 200
        assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
        found = answer.json
        assert found.items() >= FULL.items()
        assert found["client_id"] == managed.made["client_id"]
        assert found["client_id_issued_at"] == managed.made["client_id_issued_at"]
        assert found["registration_client_uri"] == managed.made["registration_client_uri"]
        assert found["registration_access_token"] == managed.token


@pytest.mark.requirement("CR-4")
def test_what_an_update_leaves_out_is_removed(managed: Managed) -> None:
    answer = managed.ask("PUT", {"redirect_uris": FULL["redirect_uris"], "token_endpoint_auth_method": "none"})
    assert not {"client_uri", "contacts", "software_id", "scope"} & answer.json.keys()
    assert answer.json["client_name"] == "127.0.0.1"
    assert answer.json["grant_types"] == ["authorization_code"]
    assert managed.ask("GET").json.keys() == answer.json.keys()


@pytest.mark.requirement("CR-4")
def test_an_update_may_send_back_what_was_answered_and_cannot_choose_what_the_server_gives(managed: Managed) -> None:
    wished = {
        "client_id_issued_at": 1,
        "registration_access_token": "mine",
        "registration_client_uri": "https://evil.example",
    }
    answer = managed.ask("PUT", {**managed.made, **wished})
    assert answer.status_code == 200
    for name, value in wished.items():
        assert answer.json[name] != value


@pytest.mark.requirement("CR-4")
@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "another"},
        {"client_id": None},
        {"client_id": ["x"]},
        {"client_secret": "chosen"},
        {"client_secret": ""},
        {"client_secret": 5},
        {"redirect_uris": []},
        {"redirect_uris": ["javascript:alert(1)"]},
    ],
)
def test_a_refused_update_changes_nothing_and_rotates_nothing(managed: Managed, wrong: dict[str, Any]) -> None:
    before = managed.ask("GET").json
    answer = managed.ask("PUT", {**FULL, "client_name": "Other", **wrong})
    assert answer.status_code == 400
    assert answer.json["error"] in {"invalid_client_metadata", "invalid_redirect_uri"}
    assert managed.ask("GET").json == before


@pytest.mark.requirement("CR-4", "CR-12")
def test_an_update_may_name_the_secret_that_it_has_and_no_other(site: Site) -> None:
    managed = Managed(site, SECRET)
    own = managed.made["client_secret"]
    assert managed.ask("PUT", {**SECRET, "client_secret": own}).status_code == 200
    assert managed.ask("PUT", {**SECRET, "client_secret": own[:-1] + "x"}).status_code == 400


@pytest.mark.requirement("CR-4")
def test_each_update_rotates_the_token_and_the_former_one_opens_nothing(managed: Managed) -> None:
    seen = {managed.token}
    for number in range(3):
        former = managed.token
        assert managed.ask("PUT", {**FULL, "client_name": f"Name {number}"}).status_code == 200
        seen.add(managed.token)
        for method in ("GET", "PUT", "DELETE"):
            answer = managed.ask(method, FULL if method == "PUT" else None, former)
            assert (answer.status_code, answer.json["error"]) == (401, "invalid_token")
    assert len(seen) == 4
    assert managed.ask("GET").json["client_name"] == "Name 2"


@pytest.mark.requirement("CR-4", "CR-15")
def test_nothing_is_left_of_a_deleted_registration(site: Site, managed: Managed) -> None:
    answer = managed.ask("DELETE")
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    for method in ("GET", "PUT", "DELETE"):
        assert managed.ask(method, FULL if method == "PUT" else None).status_code == 401
    token = site.post(
        "/token", data={"grant_type": "refresh_token", "client_id": managed.made["client_id"], "refresh_token": "x"}
    )
    assert (token.status_code, token.json["error"]) == (401, "invalid_client")
    assert site.deployment.stores.clients.tombstoned(managed.made["client_id"])


@pytest.mark.requirement("CR-4")
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_there_are_no_other_methods(managed: Managed, method: str) -> None:
    answer = managed.ask(method, FULL)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "PUT", "DELETE", "OPTIONS"}
