"""The doctor at a deployment as people run it: the demo's servers, and nginx with TLS in front."""

import pytest

from .stage import Stage


@pytest.mark.requirement("DI-8")
def test_the_demo_is_healthy_from_its_mcp_server_on(running: Stage) -> None:
    told = running.authserver("doctor", running.resource)
    assert told.splitlines()[-1].endswith("good, 0 to look at, 0 wrong"), told
    assert f"the authorization server is {running.issuer}" in told


@pytest.mark.requirement("DI-8", "CR-16")
@pytest.mark.parametrize("client", ["claude-code", "cursor", "vscode"])
def test_known_clients_get_to_the_demos_sign_in_page(running: Stage, client: str) -> None:
    told = running.authserver("doctor", "--client", client, running.resource)
    assert "the person would sign in now" in told
    assert "is removed again" in told
