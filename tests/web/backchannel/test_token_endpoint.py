"""The token endpoint itself: who may call it, how, and in which words it refuses."""

import base64
from urllib.parse import urlencode

import pytest

from tests.conformance.flow import LOOPBACK, PUBLIC, TOKEN, Flow
from tests.conformance.site import NOTES, Site
from tests.conformance.visitor import Visitor

FORM = "application/x-www-form-urlencoded"


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


@pytest.mark.requirement("CR-12", "TK-7")
@pytest.mark.parametrize("way", ["basic", "basic and client_id", "post"])
def test_a_client_with_a_secret_may_send_it_either_way(site: Site, flow: Flow, visitor: Visitor, way: str) -> None:
    flow.register({**PUBLIC, "token_endpoint_auth_method": "client_secret_basic"})
    flow.allow(visitor)
    name, secret = flow.client["client_id"], flow.client["client_secret"]
    form = {
        "grant_type": "authorization_code",
        "code": flow.values["code"],
        "redirect_uri": LOOPBACK,
        "code_verifier": flow.values["code_verifier"],
        **({"client_id": name} if way != "basic" else {}),
        **({"client_secret": secret} if way == "post" else {}),
    }
    answer = site.post("/token", data=form, headers=basic(name, secret) if way != "post" else {})
    assert answer.status_code == 200, answer.text


@pytest.mark.requirement("CR-12", "TK-7")
def test_a_failed_authentication_says_so_and_leaves_the_code_alone(site: Site, flow: Flow, visitor: Visitor) -> None:
    flow.register({**PUBLIC, "token_endpoint_auth_method": "client_secret_post"})
    flow.allow(visitor)
    for changes in ({"client_secret": None}, {"client_secret": "mcps_wrong"}):
        refused = flow.token(**changes)
        assert (refused.status_code, refused.json["error"]) == (401, "invalid_client")
    wrong = site.post("/token", data=flow.fill({"grant_type": "authorization_code", "code": "${code}"}),
                      headers=basic(flow.client["client_id"], "wrong"))  # fmt: skip
    assert wrong.status_code == 401
    assert wrong.headers["WWW-Authenticate"].startswith("Basic")
    assert flow.token(client_secret=flow.client["client_secret"]).status_code == 200


@pytest.mark.requirement("CR-15")
def test_an_unknown_client_is_told_to_register_again_and_its_person_how_to_reset_it(
    flow: Flow, visitor: Visitor
) -> None:
    flow.register()
    flow.values["client_id"] = "gone"
    answer = flow.token(code="whatever")
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
    page = visitor.open(flow.url())
    assert page.status_code == 400
    assert "remove" in page.text
    assert "add it again" in page.text


@pytest.mark.requirement("TK-7")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_the_token_endpoint_takes_post_only(site: Site, method: str) -> None:
    answer = site.http().open("/token", method=method, query_string={"grant_type": "refresh_token"})
    assert (answer.status_code, answer.json["error"]) == (405, "invalid_request")
    assert "POST" in answer.headers["Allow"]


@pytest.mark.requirement("TK-7")
def test_a_parameter_may_not_repeat_except_resource(site: Site, flow: Flow, visitor: Visitor) -> None:
    flow.register()
    flow.allow(visitor)
    form = list(flow.fill({**TOKEN, "resource": None}).items())
    twice = site.post("/token", data=urlencode([*form, ("code", flow.values["code"])]), content_type=FORM)
    assert (twice.status_code, twice.json["error"]) == (400, "invalid_request")
    resources = [("resource", NOTES.identifier), ("resource", NOTES.identifier + "/")]
    assert site.post("/token", data=urlencode([*form, *resources]), content_type=FORM).status_code == 200


@pytest.mark.requirement("TK-7")
@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 401, "invalid_client"),
        ({"client_id": "${client_id}"}, 400, "invalid_request"),
        ({"client_id": "${client_id}", "grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_id": "${client_id}", "grant_type": "authorization_code"}, 400, "invalid_request"),
        ({"client_id": "${client_id}", "grant_type": "refresh_token"}, 400, "invalid_request"),
        ({"client_id": "${client_id}", "grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_grant"),
    ],
)
def test_each_refusal_has_its_code(site: Site, flow: Flow, form: dict[str, str], status: int, error: str) -> None:
    flow.register()
    answer = site.post("/token", data=urlencode(flow.fill(form)), content_type=FORM)
    assert (answer.status_code, answer.json["error"]) == (status, error)
    assert answer.headers["Cache-Control"] == "no-store"
