"""A server's tokens are signed by what it chose, and each is read here whatever it has chosen by now (TK-2)."""

from dataclasses import replace

import jwt
import pytest

from authserver.protocol.audit import Event
from authserver.protocol.resource import SigningAlgorithm
from tests.conformance.flow import Flow
from tests.conformance.site import NOTES, Site
from tests.conformance.visitor import Visitor

from .test_revocation import introspect, resource_server

EVENT = Event("test.done", "system")


@pytest.mark.requirement("DI-5")
def test_tokens_of_a_server_are_signed_by_what_it_chose(site: Site, flow: Flow, visitor: Visitor) -> None:
    guard, resources = resource_server(site, NOTES.identifier), site.deployment.stores.resources
    tokens = [flow.tokens(visitor)["access_token"]]
    try:
        for algorithm in (SigningAlgorithm.RS256, SigningAlgorithm.EDDSA):
            resources.replace(replace(NOTES, signing_algorithm=algorithm), EVENT)
            tokens.append(flow.refresh().json["access_token"])
    finally:
        resources.replace(NOTES, EVENT)
    # Nothing has made a key for EdDSA yet: until one signs, the usual algorithm does.
    assert [jwt.get_unverified_header(token)["alg"] for token in tokens] == ["ES256", "RS256", "ES256"]
    assert all(introspect(site, token, guard).json["active"] for token in tokens)
