"""What nodes have in common, and the nodes themselves: ``authserver serve`` of some tree of code."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

from tests.journeys.ports import free_port

ROOT = Path(__file__).parents[2]
SERVE = "from authserver.cli import main; main(['serve'])"
COMMANDS = """
import json, sys
from authserver.cli import main
for words in json.load(sys.stdin):
    main(words, standalone_mode=False)
"""
COMMAND_SECONDS = 300
STOP_SECONDS = 120
RESOURCE = "http://localhost:9001/mcp"  # nobody calls it
USERNAME = "ada"


@dataclass
class Node:
    """A running ``authserver serve`` at ``port`` of loopback."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def until_ready(self) -> None:
        """Wait until it says that it is."""
        while not self._is_ready():
            time.sleep(0.05)
            assert self.process.poll() is None, self.log.read_text()[-3000:]

    def stop(self) -> None:
        """Tell it to end, as systemd, compose and Kubernetes do, and wait until it has answered what it began."""
        self.process.terminate()
        assert self.process.wait(STOP_SECONDS) == 0, self.log.read_text()[-3000:]

    def _is_ready(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


@dataclass(frozen=True)
class Furnished:
    """What was made: the ``password`` of the person, id and secret of a ``machine``."""

    password: str
    machine: tuple[str, str]


@dataclass
class Site:
    """Issuer, database and keys; ``more`` are further settings of its nodes."""

    home: Path
    database_url: str
    issuer: str
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What its commands and nodes are told by."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("AUTHSERVER_")},
            "AUTHSERVER_HOME": str(self.home),
            "AUTHSERVER_DATABASE_URL": self.database_url,
            "AUTHSERVER_ISSUER": self.issuer,
            "AUTHSERVER_CHECK_PUBLIC_URL": "false",
            **{f"AUTHSERVER_{name.upper()}": value for name, value in self.more.items()},
        }

    def run(self, *commands: list[str], tree: Path = ROOT) -> str:
        """What the ``authserver`` commands of *tree* say, one after the other in one process."""
        done = subprocess.run(
            [sys.executable, "-c", COMMANDS],
            env=self._of(tree),
            cwd=tree,
            input=json.dumps(commands),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def furnish(self, tree: Path = ROOT) -> Furnished:
        """Schema, keys, a person, an MCP server and a machine that may call it, by the code of *tree*."""
        scope = ["--scope", "notes:read=Read your notes", "--default", "notes:read"]
        said = self.run(
            ["init"],
            ["user", "add", USERNAME],
            ["resource", "add", RESOURCE, "--name", "Notes", *scope],
            ["client", "add", "Night job", "--allow", f"{RESOURCE}=notes:read"],
            tree=tree,
        )
        made = dict(line.rsplit(": ", 1) for line in said.splitlines() if ": " in line)
        return Furnished(made[f"added {USERNAME}, password"], (made["client_id"], made["client_secret"]))

    def start(self, port: int = 0, tree: Path = ROOT) -> Node:
        """Start a node of *tree*'s code, at a free port unless one is given."""
        port = port or free_port()
        log = self.home / f"node-{port}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-c", SERVE],
                env={**self._of(tree), "AUTHSERVER_BIND": f"127.0.0.1:{port}", "AUTHSERVER_WORKERS": "1"},
                cwd=tree,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        return Node(port, process, log)

    @contextmanager
    def nodes(self, *trees: Path) -> Iterator[list[Node]]:
        """A node of each tree, ready; whichever are in the list at the end are stopped."""
        running = [self.start(tree=tree) for tree in trees]
        try:
            for node in running:
                node.until_ready()
            yield running
        finally:
            for node in running:
                node.process.terminate()
            for node in running:
                node.process.wait(STOP_SECONDS)

    def _of(self, tree: Path) -> dict[str, str]:
        return {**self.environment, "PYTHONPATH": os.pathsep.join((str(tree), str(tree / "middleware")))}
