"""``make demo`` itself: what it prints, keeps, refuses, and how it ends."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil
import pytest

from authserver.outbound.mail import Folder, Mail
from demo.mail import Inbox
from demo.place import DemoError, Place

from .ports import free_port
from .stage import ROOT, until_ready


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AUTHSERVER_")}
    return {
        **kept,
        "AUTHSERVER_HOME": str(home),
        "AS_PORT": str(free_port()),
        "MCP_PORT": str(free_port()),
    }


def test_it_can_be_interrupted_and_started_again_with_its_data(tmp_path: Path) -> None:
    wanted = environment(tmp_path)
    first = begin(wanted)
    kept = json.loads((tmp_path / "demo.json").read_text())
    assert kept.keys() == {"issuer", "resource", "admin", "user"}
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600
    assert kept["user"]["password"] in first.said
    for client in ("claude mcp add", "mcp.json", "inspector", "mcp-remote"):
        assert client in first.said
    uri = "http://127.0.0.1/cb"
    made = httpx2.post(f"{kept['issuer']}/register", json={"redirect_uris": [uri]}).json()

    first.process.send_signal(signal.SIGINT)
    assert first.end() == 0

    second = begin(wanted)
    assert json.loads((tmp_path / "demo.json").read_text()) == kept
    assert kept["user"]["password"] not in second.said
    assert read(made).status_code == 200

    second.servers[0].terminate()  # one dies: the other and the demo end with it
    assert second.end() == 1


def read(made: dict[str, str]) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {made['registration_access_token']}"}
    return httpx2.get(made["registration_client_uri"], headers=headers)


def test_mail_is_shown_once_as_it_comes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Folder(tmp_path, "demo@example.com")
    folder.send(Mail("ann@example.com", "Before", "Old\n", "1"))
    inbox = Inbox(tmp_path)
    inbox.show_new()
    folder.send(Mail("ann@example.com", "Your invitation", "Choose a password:\nhttp://localhost:9000/x\n", "2"))
    inbox.show_new()
    inbox.show_new()
    said = capsys.readouterr().out
    assert said.count("Mail to ann@example.com: Your invitation") == 1
    assert "    http://localhost:9000/x" in said.splitlines()
    assert "Before" not in said


def test_a_taken_port_is_a_message_and_not_a_traceback(tmp_path: Path) -> None:
    wanted = environment(tmp_path)
    with socket.create_server(("127.0.0.1", int(wanted["AS_PORT"]))):
        refused = subprocess.run(
            [sys.executable, "-m", "demo"],
            env=wanted,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    assert refused.returncode == 1
    assert f"port {wanted['AS_PORT']} is taken; choose another: AS_PORT=" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(("variable", "family", "address"), [
    ("AS_PORT", socket.AF_INET, "127.0.0.1"),
    ("MCP_PORT", socket.AF_INET, "127.0.0.1"),
    ("MCP_PORT", socket.AF_INET6, "::1"),
])  # fmt: skip
def test_a_port_that_is_taken_on_either_address_is_named(
    tmp_path: Path, variable: str, family: socket.AddressFamily, address: str
) -> None:
    wanted = environment(tmp_path)
    with (
        socket.create_server((address, int(wanted[variable])), family=family),
        pytest.raises(DemoError, match=f"port {wanted[variable]} is taken; choose another: {variable}="),
    ):
        Place.of(wanted).check()


@pytest.mark.parametrize("port", ["none", "0", "70000", "-1", "９０００"])
def test_a_port_that_is_none_is_named(port: str) -> None:
    with pytest.raises(DemoError, match="AS_PORT must be a port number"):
        Place.of({"AS_PORT": port})


@dataclass(frozen=True)
class Demo:
    """A demo that is ready: what it ``said`` until then, and its ``servers``."""

    process: subprocess.Popen[str]
    said: str
    servers: list[psutil.Process]

    def end(self) -> int:
        """Its status, once all of its processes have ended without further help."""
        self.process.communicate(timeout=60)
        assert len(self.servers) >= 2
        assert not psutil.wait_procs(self.servers, timeout=60)[1]
        return self.process.returncode


def begin(wanted: Mapping[str, str]) -> Demo:
    process = subprocess.Popen(
        [sys.executable, "-m", "demo"], env=dict(wanted), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    said = until_ready(process)
    return Demo(process, said, psutil.Process(process.pid).children(recursive=True))
