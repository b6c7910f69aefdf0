"""A trace goes on in what an identity provider is asked within a request."""

from collections.abc import Callable

import pytest

from tests.conformance.site import Site
from tests.outbound.authority import Authority

from .conftest import settings, table_of
from .journey import begin, is_signed_in
from .liar import Liar

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CALLS = {"/.well-known/openid-configuration", "/token", "/jwks"}


@pytest.mark.parametrize(("whose", "heard"), [("anyone", PARENT), ("nobody", None)])
def test_a_provider_is_told_the_trace_if_it_counts(
    site_with: Callable[..., Site], authority: Authority, false: Liar, whose: str, heard: str | None
):
    site = site_with(**settings(authority, table_of(false)), traceparent_from=whose)
    http = site.http()
    http.environ_base["HTTP_TRACEPARENT"] = PARENT  # type: ignore[attr-defined]
    journey = begin(http, false)
    false.gives(false.sign(journey.claims()))
    journey.back()
    assert is_signed_in(http)
    assert {path for path, _ in false.parents} == CALLS
    assert {parent for _, parent in false.parents} == {heard}
