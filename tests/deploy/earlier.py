"""The code of the revision before the newest, from this project's own history."""

import io
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

from authserver.store import migrate

from .site import ROOT

REVISIONS = "authserver/migrations/versions"
TREE = ("authserver", "middleware", "config", "wsgi.py", "pyproject.toml")


def before_the_newest() -> str:
    """The number of the revision before the newest."""
    return migrate.lacking(None)[-2].revision


def newest_commit_without(newest: str) -> str | None:
    """The newest commit of this branch in which the revision *newest* is not there yet; None where the history does not go so far."""
    for commit in _git("rev-list", "--first-parent", "HEAD").split():
        names = _git("ls-tree", "--name-only", commit, f"{REVISIONS}/").split()
        numbers = {Path(name).name[:4] for name in names}
        if newest not in numbers:
            return commit if before_the_newest() in numbers else None
    return None


def unpack(commit: str, folder: Path) -> Path:
    """Put the code of *commit* into *folder*, with what it needs and this code does not, and return it."""
    archive = subprocess.run(["git", "archive", commit, *TREE], cwd=ROOT, capture_output=True, check=True).stdout
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


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout
