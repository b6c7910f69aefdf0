"""The OpenAPI document is true: schemathesis makes requests of it, and holds the answers against it."""

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from authserver.protocol import own_api
from authserver.web.api import OPERATIONS, openapi
from tests.conformance.site import ISSUER, Site
from tests.web.api.conftest import Robot

DOCUMENT = openapi.document(ISSUER, OPERATIONS)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# The emergency withdraws the key of the very token that asks: it has a test of its own.
schema = schemathesis.openapi.from_dict(DOCUMENT).exclude(path="/keys/withdraw")


@schema.parametrize()
@settings(max_examples=20, suppress_health_check=list(HealthCheck), derandomize=True)
def test_no_request_breaks_it_and_no_answer_is_off_its_schema(case, site: Site, robot: Robot) -> None:
    own = {"Authorization": f"Bearer {robot.token}"}
    answer = case.call(app=site.app, base_url=ISSUER + own_api.PATH, headers=own)
    assert answer.status_code != 401
    case.validate_response(answer, checks=CHECKS)


def test_the_document_is_served_to_anyone_and_is_that_of_the_code(site: Site) -> None:
    answer = site.get(f"{own_api.PATH}/openapi.json")
    assert answer.status_code == 200
    assert answer.json == DOCUMENT
    assert (
        site.get(f"{own_api.PATH}/openapi.json", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    )


def test_its_schemas_are_json_schema() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert "ClientPage" in schemas
    for each in schemas.values():
        Draft202012Validator.check_schema(each)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.method} {each.path}")
def test_each_operation_says_which_scope_opens_it(operation) -> None:
    found = DOCUMENT["paths"][operation.path][operation.method.lower()]
    assert found["security"] == [{"machine": [own_api.scope_of(operation.permission)]}]
