"""The code that is in use while this one comes, from this project's own history."""

import io
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

from .site import ROOT

BEFORE = "a66a47fd4c336a63aba5c75f195fcf08336b270b"  # the last one with an older schema that was landed
TREE = ("authserver", "middleware", "config", "wsgi.py", "pyproject.toml")


def is_known() -> bool:
    """Whether the history goes so far; a shallow one does not."""
    found = subprocess.run(["git", "cat-file", "-e", BEFORE], cwd=ROOT, capture_output=True, check=False)
    return found.returncode == 0


def unpack(folder: Path) -> Path:
    """Put its code into *folder*, with what it needs and this code does not, and return it."""
    archive = subprocess.run(["git", "archive", BEFORE, *TREE], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    known = _dependencies(ROOT)
    if lacking := sorted(each for each in _dependencies(folder) if each not in known):
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--target", str(folder), *lacking], check=True)
    return folder


def _dependencies(tree: Path) -> list[str]:
    with (tree / "pyproject.toml").open("rb") as file:
        found: list[str] = tomllib.load(file)["project"]["dependencies"]
    return found
