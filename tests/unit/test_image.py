"""The steps of ``deploy/Dockerfile`` without an engine: what they build serves from a folder that it cannot write."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.journeys.ports import free_port

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "deploy" / "image"
USER = 10001
STEP_SECONDS = 600
STOP_SECONDS = 120
SYSTEM = Path("/usr/bin/python3")
CAN_BUILD = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"


def python() -> Path:
    """An interpreter that another user may run too: the system's, where it can do the steps."""
    if SYSTEM.exists() and not subprocess.run([SYSTEM, "-c", CAN_BUILD], capture_output=True, check=False).returncode:
        return SYSTEM
    return Path(sys.executable)


def run(*command: str | Path, path: Path, **environment: str) -> None:
    """Run a step with the folder of the interpreter first in PATH."""
    told = {"PATH": f"{path}:{os.environ['PATH']}", **environment}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTHSERVER_", "PYTHON"))}
    done = subprocess.run(
        [*command], cwd=ROOT, env={**kept, **told}, capture_output=True, text=True, timeout=STEP_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed() -> Iterator[Path]:
    """``/opt/authserver`` of the image, in a folder that others may read."""
    with TemporaryDirectory(prefix="image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        builder = folder / "builder"  # the first stage's interpreter, which has pip
        subprocess.run([python(), "-m", "venv", builder], check=True, capture_output=True)
        run(SCRIPTS / "build-wheels.sh", folder / "wheels", path=builder / "bin")
        opt = folder / "opt"
        run(
            SCRIPTS / "install-wheels.sh",
            folder / "wheels",
            opt,
            path=python().parent,
            PIP_INDEX_URL="http://127.0.0.1:9/",
        )
        yield opt


@pytest.fixture
def home() -> Iterator[Path]:
    """What is kept, of the server's own user."""
    with TemporaryDirectory(prefix="image-home-") as name:
        if os.geteuid() == 0:
            os.chown(name, USER, USER)
        yield Path(name)


def as_its_user() -> dict[str, Any]:
    """Arguments of a process that is the server's user, where we may make one."""
    shared = os.geteuid() == 0 and python() == SYSTEM
    return {"user": USER, "group": USER} if shared else {}


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@contextmanager
def serving(opt: Path, home: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The image's command."""
    environment = {
        "PATH": f"{opt / 'bin'}:/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AUTHSERVER_HOME": str(home),
        "AUTHSERVER_BIND": f"127.0.0.1:{port}",
    }
    subprocess.run(
        [opt / "bin" / "authserver", "init"],
        env=environment,
        cwd=home,
        check=True,
        capture_output=True,
        **as_its_user(),
    )
    with (home / "log").open("wb") as log:
        process: subprocess.Popen[bytes] = subprocess.Popen(
            [opt / "bin" / "authserver", "serve"], env=environment, cwd=home, stdout=log, stderr=log, **as_its_user()
        )
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(STOP_SECONDS) == 0, (home / "log").read_text()


def healthy(port: int) -> bool:
    """What the image's health check says."""
    command = [str(SCRIPTS / "healthy.sh"), f"http://127.0.0.1:{port}/health/serving"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.requirement("DI-6")
def test_what_the_image_holds_serves_as_another_user_from_a_folder_that_stays_as_it_was(installed: Path, home: Path):
    before, port = files(installed), free_port()
    assert not healthy(port)
    with serving(installed, home, port) as process:
        while not healthy(port):
            time.sleep(0.1)
            assert process.poll() is None, (home / "log").read_text()
    assert files(installed) == before


def test_what_the_image_holds_is_what_runs_and_no_more(installed: Path):
    names = {path.name.partition("-")[0] for path in (installed / "lib").glob("python3*/site-packages/*.dist-info")}
    assert {"mcp_authserver", "mcp_token_guard", "psycopg_binary"} <= names
    assert not {"pip", "pytest", "hatchling", "ruff"} & names
    assert shutil.which("authserver", path=str(installed / "bin"))
