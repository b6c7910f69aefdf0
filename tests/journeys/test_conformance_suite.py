"""The MCP conformance suite's scenarios for authorization servers, its browser step done by the person."""

import json
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest

from .person import Person
from .ports import free_port
from .stage import Stage
from .typescript import HERE, install, modern_node

SUITE = HERE / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
SCENARIOS = {"authorization-server-metadata-endpoint", "authorization-code-grant"}


@pytest.mark.requirement("CR-7", "DI-1", "DI-3", "AZ-3", "AZ-4", "AZ-5", "TK-7")
def test_the_conformance_suite_finds_nothing(running: Stage, person: Person, tmp_path: Path) -> None:
    install()
    port = free_port()
    body = {"redirect_uris": [f"http://127.0.0.1:{port}/callback"], "token_endpoint_auth_method": "none"}
    client_id = httpx2.post(f"{running.issuer}/register", json=body).json()["client_id"]
    suite = subprocess.Popen(
        [
            modern_node(), str(SUITE), "authorization", "--url", running.issuer, "--client-id", client_id,
            "--port", str(port), "--output-dir", str(tmp_path),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    assert suite.stdout is not None
    said = []
    for line in suite.stdout:
        said.append(line)
        if line.startswith(f"{running.issuer}/authorize?"):
            person.allow(line.strip())
    assert suite.wait(60) == 0, "".join(said)
    suite.stdout.close()
    found = results(tmp_path)
    assert found.keys() == SCENARIOS
    statuses = {check["id"]: check["status"] for checks in found.values() for check in checks}
    assert set(statuses.values()) == {"SUCCESS"}, statuses


def results(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The checks of each scenario, as the suite wrote them down."""
    return {
        next(name for name in SCENARIOS if name in str(file)): json.loads(file.read_text())
        for file in folder.rglob("checks.json")
    }
