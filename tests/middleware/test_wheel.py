"""The guard as people install it: a wheel, in an environment with nothing but what it asks for."""

import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
SERVERS_LIBRARIES = ("flask", "sqlalchemy", "authlib", "werkzeug", "authserver", "mcp", "starlette", "pydantic")

PROGRAM = """
import asyncio, importlib.metadata, importlib.util, sys
from mcp_token_guard import Guard

for name in {libraries}:
    assert importlib.util.find_spec(name) is None, name

async def app(scope, receive, send):
    raise AssertionError("reached")

async def main():
    guard = Guard("http://localhost:9001/mcp", issuer="http://localhost:9000", scopes=["notes:read"])
    sent = []
    async def send(event):
        sent.append(event)
    scope = {{"type": "http", "method": "POST", "path": "/mcp", "headers": [], "query_string": b""}}
    await guard.asgi(app)(scope, None, send)
    return sent[0]["status"]

import mcp_token_guard
assert mcp_token_guard.__version__ == importlib.metadata.version("mcp-token-guard")
print(asyncio.run(main()), mcp_token_guard.__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT / "middleware", check=True, capture_output=True)
    return next(folder.glob("mcp_token_guard-*.whl"))


def test_the_wheel_carries_types_and_licence_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "mcp_token_guard/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert all(name.startswith(("mcp_token_guard/", "mcp_token_guard-")) for name in names)


def test_the_wheel_works_without_the_libraries_of_the_server(wheel: Path, tmp_path: Path) -> None:
    """Its declared dependencies, and theirs, are the whole environment."""
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    packages = next((tmp_path / "env" / "lib").glob("python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(packages)
    for name in closure(declared(wheel)):
        for entry in top_level(name):
            (packages / entry.name).symlink_to(entry)
    program = PROGRAM.format(libraries=SERVERS_LIBRARIES)
    python = tmp_path / "env" / "bin" / "python"
    done = subprocess.run(
        [python, "-I", "-W", "error", "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.stderr == ""
    assert done.stdout.split()[0] == "401"
    assert str(packages) in done.stdout


def declared(wheel: Path) -> list[Requirement]:
    """What the wheel's own metadata asks for."""
    archive = zipfile.ZipFile(wheel)
    metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    lines = archive.read(metadata).decode().splitlines()
    return [Requirement(line.split(":", 1)[1]) for line in lines if line.startswith("Requires-Dist:")]


def closure(requirements: list[Requirement]) -> set[str]:
    """The names of all distributions that *requirements* bring."""
    found: set[str] = set()
    waiting = list(requirements)
    while waiting:
        requirement = waiting.pop()
        found.add(canonicalize_name(requirement.name))
        for line in distribution(requirement.name).requires or ():
            needed = Requirement(line)
            extras = requirement.extras or {""}
            applies = needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras)
            if applies and canonicalize_name(needed.name) not in found:
                waiting.append(needed)
    return found


def top_level(name: str) -> set[Path]:
    """The files and folders of the distribution *name* in site-packages."""
    files = distribution(name).files or ()
    inside = {Path(file).parts[0] for file in files if Path(file).parts[0] not in ("..", "__pycache__")}
    return {Path(str(distribution(name).locate_file(part))) for part in inside}
