"""Where the demo lives: its folder, its two ports, and the settings file that ``authserver …`` reads there too."""

import errno
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SETTINGS = """\
# Written by `make demo` at each start: what you change here lasts until the next one.
issuer = "http://localhost:{port}"
bind = "127.0.0.1:{port}"
# One machine may register clients and sign people in by the hundred. Production's defaults are far lower.
registrations_per_address = "1000 per minute"
hosted_registrations_per_address = "1000 per minute"
registration_flood_per_address = "1000 per minute"
sign_ins_per_address = "1000 per minute"
# Mail is not sent, but kept here.
mail_directory = {mail}
mail_from = "demo@authserver.example"
notice_mail = ["owner@authserver.example"]
"""

LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


class DemoError(Exception):
    """The demo cannot run; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of the demo's data, and the ports of its two servers on loopback."""

    home: Path
    as_port: int
    mcp_port: int

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Place":
        """The place that *environment* asks for. Raises `DemoError` for a port that is none."""
        home = Path(environment.get("AUTHSERVER_HOME", "var"))
        return cls(home, _port("AS_PORT", environment, 9000), _port("MCP_PORT", environment, 9001))

    @property
    def resource(self) -> str:
        """The URL of the sample MCP server: what clients are pointed at, and what its tokens are for."""
        return f"http://localhost:{self.mcp_port}/mcp"

    @property
    def guard_key(self) -> Path:
        """Where the sample server's guard has its own key."""
        return self.home / "notes-guard.jwk"

    @property
    def mail(self) -> Path:
        """The folder that mail is written to."""
        return self.home.absolute() / "mail"

    def check(self) -> None:
        """Raises `DemoError` unless both ports are free."""
        if self.as_port == self.mcp_port:
            raise DemoError("AS_PORT and MCP_PORT must differ")
        for variable, port in (("AS_PORT", self.as_port), ("MCP_PORT", self.mcp_port)):
            if not _is_free(port):
                raise DemoError(f"port {port} is taken; choose another: {variable}={port + 100} make demo")

    def write_settings(self) -> None:
        """Write the settings file: this demo and each ``authserver …`` run from the same folder share it."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = SETTINGS.format(port=self.as_port, mail=json.dumps(str(self.mail)))
        (self.home / "authserver.toml").write_text(text, "utf-8")


def _is_free(port: int) -> bool:
    # Browsers may try either address of localhost first, so nobody else may have the port on the other one.
    return all(_can_bind(family, address, port) for family, address in LOOPBACK)


def _can_bind(family: socket.AddressFamily, address: str, port: int) -> bool:
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: one that just ended is gone
            probe.bind((address, port))
    except OSError as problem:
        return problem.errno != errno.EADDRINUSE
    return True


def _port(variable: str, environment: Mapping[str, str], default: int) -> int:
    text = environment.get(variable) or str(default)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise DemoError(f"{variable} must be a port number, not {text!r}")
    return int(text)
