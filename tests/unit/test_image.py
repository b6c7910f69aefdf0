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
from zipfile import ZipFile

import httpx2
import pytest

from tests.journeys.ports import free_port

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "deploy" / "image"
USER = 10001
OLDER = "0.0.1"
MOST_MEGABYTES = 170  # docs/production.md says what it comes to
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
def stage() -> Iterator[Path]:
    """Where an image is built: a folder that others may read, with the first stage's interpreter, which has pip."""
    with TemporaryDirectory(prefix="image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        subprocess.run([python(), "-m", "venv", folder / "builder"], check=True, capture_output=True)
        yield folder


def built(stage: Path, name: str, *extras: str) -> tuple[Path, Path]:
    """The wheels, and ``/opt/authserver``, of an image with *extras*; without any, with those that it has by itself."""
    wheels, opt = stage / f"{name}-wheels", stage / name
    run(SCRIPTS / "build-wheels.sh", wheels, *extras, path=stage / "builder" / "bin")
    install(wheels, opt, *extras)
    return wheels, opt


def install(wheels: Path, opt: Path, *extras: str) -> None:
    nowhere = "http://127.0.0.1:9/"
    run(SCRIPTS / "install-wheels.sh", wheels, opt, *extras, path=python().parent, PIP_INDEX_URL=nowhere)


@pytest.fixture(scope="module")
def image(stage: Path) -> tuple[Path, Path]:
    return built(stage, "opt")


@pytest.fixture(scope="module")
def installed(image: tuple[Path, Path]) -> Path:
    return image[1]


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


def test_what_the_image_holds_serves_as_another_user_from_a_folder_that_stays_as_it_was(installed: Path, home: Path):
    before, port = files(installed), free_port()
    assert not healthy(port)
    with serving(installed, home, port) as process:
        while not healthy(port):
            time.sleep(0.1)
            assert process.poll() is None, (home / "log").read_text()
    assert files(installed) == before


def held(opt: Path) -> set[str]:
    """The names of the distributions in an environment."""
    return {path.name.partition("-")[0] for path in (opt / "lib").glob("python3*/site-packages/*.dist-info")}


def test_what_the_image_holds_is_what_runs_and_no_more(installed: Path):
    assert {"mcp_authserver", "mcp_token_guard", "psycopg_binary", "redis"} <= held(installed)
    assert not {"pip", "pytest", "hatchling", "ruff", "python_pkcs11", "opentelemetry_sdk"} & held(installed)
    assert shutil.which("authserver", path=str(installed / "bin"))


def test_what_the_image_adds_to_pythons_own_is_small(installed: Path):
    size = sum(path.stat().st_size for path in files(installed) if not path.is_symlink()) // 1_000_000
    assert 0 < size <= MOST_MEGABYTES, f"{size} MB"


def older(wheels: Path, folder: Path) -> Path:
    """The same wheels, but for ours, which is of the version before all."""
    shutil.copytree(wheels, folder, copy_function=os.link)
    (ours,) = folder.glob("mcp_authserver-*.whl")
    version = named(ours)[1]
    with ZipFile(ours) as read, ZipFile(folder / ours.name.replace(version, OLDER, 1), "w") as written:
        for name in read.namelist():
            text = read.read(name)
            if name == "authserver/__init__.py" or ".dist-info/" in name:
                text = text.replace(version.encode(), OLDER.encode())
            written.writestr(name.replace(f"-{version}.dist-info", f"-{OLDER}.dist-info"), text)
    ours.unlink()
    return folder


def version_of(opt: Path) -> str:
    command = [str(opt / "bin" / "authserver"), "--version"]
    told = subprocess.run(command, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True)
    return told.stdout.split()[-1]


@pytest.fixture(scope="module")
def installed_before(stage: Path, image: tuple[Path, Path]) -> Path:
    """What is installed of the version before."""
    opt = stage / "old"
    install(older(image[0], stage / "older-wheels"), opt)
    return opt


def test_another_version_is_not_installed_over_what_is_there(installed_before: Path, image: tuple[Path, Path]):
    with pytest.raises(AssertionError, match="is there already"):
        install(image[0], installed_before)
    assert version_of(installed_before) == OLDER


def test_an_upgrade_leaves_what_runs_alone_until_it_is_restarted_and_then_the_new_version_answers(
    stage: Path, installed_before: Path, image: tuple[Path, Path], home: Path
):
    (wheels, new), opt, port = image, stage / "authserver", free_port()
    opt.symlink_to(installed_before.name)
    with serving(opt, home, port) as process:
        while not healthy(port):
            time.sleep(0.1)
            assert process.poll() is None, (home / "log").read_text()
        subprocess.run(["ln", "-sfn", new.name, str(opt)], check=True)
        assert version_of(opt) == named(next(wheels.glob("mcp_authserver-*.whl")))[1]
        assert httpx2.get(f"http://127.0.0.1:{port}/sign-in").status_code == 200, "it loads on from its own folder"
    with serving(opt, home, port) as process:
        while not healthy(port):
            time.sleep(0.1)
            assert process.poll() is None, (home / "log").read_text()


def test_an_image_has_the_extras_that_it_is_built_with_in_the_versions_that_were_tested(stage: Path):
    wheels, opt = built(stage, "traced", "postgresql,otel,pkcs11")
    assert {"psycopg_binary", "opentelemetry_sdk", "python_pkcs11"} <= held(opt)
    assert "redis" not in held(opt)
    loads = "import pkcs11, authserver.keys.hsm; from opentelemetry.exporter.otlp.proto.http import trace_exporter"
    subprocess.run([opt / "bin" / "python", "-c", loads], check=True, cwd=opt)
    tested = {
        tuple(line.partition(";")[0].strip().split("=="))
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    found = {(name.lower().replace("_", "-"), version) for name, version in map(named, wheels.iterdir())}
    assert {one for one in found if not one[0].startswith("mcp-")} - tested == set()


def named(wheel: Path) -> tuple[str, str]:
    name, version, *_ = wheel.name.split("-")
    return name, version
