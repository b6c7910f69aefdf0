"""What a figure depends on: the machine, the versions, the settings that decide durability."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from . import better_auth, database, django_toolkit, fronts, oidc_provider

CORES = 2
DISTRIBUTIONS = (
    "mcp-authserver", "flask", "gunicorn", "granian", "sqlalchemy", "psycopg", "pyjwt", "cryptography", "fastmcp",
)  # fmt: skip


def take_two_cores() -> None:
    """Confine this process, and whatever it starts, to two cores."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:CORES])


def others() -> str:
    """How busy the machine is with other work: its load average of the last minute, before a run."""
    return f"{os.getloadavg()[0]:.1f}"


def facts() -> dict[str, str]:
    """Machine and versions, by name."""
    return {
        "machine": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "system": platform.platform(),
        "python": f"{platform.python_version()} ({platform.python_compiler()}{_library()})",
        **{name: version(name) for name in DISTRIBUTIONS},
        "postgresql": database.version(),
        **oidc_provider.versions(),
        **django_toolkit.versions(),
        **better_auth.versions(),
        "wrk": _wrk(),
        "nginx": fronts.nginx_version(),
    }


def _library() -> str:
    """Python as a library that programs share is slower, if it was built without thought for that."""
    return ", a shared library" if "/libpython" in Path("/proc/self/maps").read_text() else ""


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _wrk() -> str:
    said = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S607
    return said.partition(" Copyright")[0].strip()
