"""The published schema takes every detail that the server takes, and refuses what it can of the others."""

import pytest
from jsonschema import Draft202012Validator

from mcp_token_guard.limits import reading, schema, writing
from tests.limits.vectors import VECTORS, detail

pytestmark = pytest.mark.requirement("EX-7")

VALIDATOR = Draft202012Validator(schema.document())
BEYOND_A_SCHEMA = {
    "a folder with two dots",
    "an empty range",
    "a set that is empty",
    "a set that is negated",
    "a range backwards",
    "a set that does not end",
    "an escape",
    "a broken escape in a pointer",
    "a pointer beside its part",
    "pointers that differ in case",
    "pointers that differ in marks",
    "a count with a fraction",  # to JSON Schema, 1.0 is an integer
}
DETAILS = [vector["detail"] for vector in VECTORS["calls"]]
DETAILS += [{"limits": {"/a": {**vector["rule"], "optional": True}}} for vector in VECTORS["rules"]]
DETAILS += [vector[side] for vector in VECTORS["narrowing"] for side in ("detail", "whole")]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema.document())


@pytest.mark.parametrize("members", DETAILS)
def test_what_is_taken_keeps_to_the_schema(members) -> None:
    VALIDATOR.validate(detail(**members))
    VALIDATOR.validate(writing.detail(reading.detail(detail(**members))))


@pytest.mark.parametrize("vector", VECTORS["malformed"], ids=lambda vector: vector["what"])
def test_what_is_malformed_breaks_the_schema_where_a_schema_can_say_so(vector) -> None:
    assert VALIDATOR.is_valid(detail(**vector["detail"])) is (vector["what"] in BEYOND_A_SCHEMA)
