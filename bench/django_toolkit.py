"""A peer on PostgreSQL: django-oauth-toolkit under gunicorn (``toolkit/``), in an environment of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from .contestant import BenchError, Code, Credentials, ForFewMeasures
from .database import Database
from .http import Caller
from .process import answers, free_port, running

FOLDER = Path(__file__).with_name("toolkit")
REQUIREMENTS = FOLDER / "requirements.txt"
ENVIRONMENT = Path("var/bench/toolkit")
PYTHON = ENVIRONMENT / "bin" / "python"
INSTALLED = ENVIRONMENT / "installed.txt"  # what was asked for when all of it had come


@dataclass(frozen=True, slots=True)
class DjangoToolkit(ForFewMeasures):
    """A running django-oauth-toolkit; what is below its ``/bench`` makes codes and clients through its models."""

    origin: str
    roots: tuple[int, ...]
    resource: str
    name: str = "django-oauth-toolkit"

    def codes(self, count: int, client_ids: Sequence[str], *, introspectable: bool = False) -> list[Code]:
        """See `Contestant`. All its access tokens are opaque, and can be introspected."""
        asked = {"count": count, "clientIds": [*client_ids], "resource": self.resource}
        with Caller(self.origin) as caller:
            return [Code(**code) for code in caller.post_json("/bench/codes", asked)]

    def introspector(self) -> Credentials:
        """See `Contestant`."""
        with Caller(self.origin) as caller:
            return Credentials(**caller.post_json("/bench/introspector", {}))


@contextmanager
def django_toolkit(folder: Path, database: Database, resource: str) -> Iterator[DjangoToolkit]:
    """Run the peer on the empty *database*, with its log in *folder*, until the block ends."""
    _install()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "bench.toolkit.settings",
        "PYTHONPATH": str(FOLDER.parent.parent),
        "TOOLKIT_DATABASE": str(make_url(database.url).query["host"]),
    }
    _run([str(PYTHON), "-m", "django", "migrate"], environment)
    port = free_port()
    command = [str(PYTHON), "-m", "gunicorn", "-c", "python:bench.toolkit.serving", "-b", f"127.0.0.1:{port}"]
    log = folder / "toolkit.log"
    with running(command, log, ready=lambda: answers(port), environment=environment) as process:
        yield DjangoToolkit(f"http://127.0.0.1:{port}", (process.pid, *database.roots), resource)


def versions() -> dict[str, str]:
    """The versions asked for; nothing as long as it is not installed."""
    asked = (line.partition("==") for line in REQUIREMENTS.read_text().splitlines() if "==" in line)
    return {f"toolkit's {name}": found for name, _, found in asked} if _is_installed() else {}


def _is_installed() -> bool:
    return INSTALLED.exists() and INSTALLED.read_text() == REQUIREMENTS.read_text()


def _install() -> None:
    if _is_installed():
        return
    print(f"Setting up {ENVIRONMENT}", file=sys.stderr, flush=True)
    _run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], os.environ)
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    _run([*pip, "install", "--requirement", str(REQUIREMENTS)], os.environ)
    INSTALLED.write_text(REQUIREMENTS.read_text())


def _run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise BenchError(f"{' '.join(command)}: {finished.stdout[-1000:]}{finished.stderr[-1000:]}")
