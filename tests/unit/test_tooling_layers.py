"""The layers are enforced: a wrong import, planted in a copy of the tree, breaks the contract that forbids it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLANTS = [
    ("authserver/protocol/planted.py", "import authserver.settings", "Imports point down the layers"),
    ("authserver/keys/planted.py", "import authserver.web", "Imports point down the layers"),
    ("authserver/planted/__init__.py", "", "Imports point down the layers"),
    ("authserver/protocol/planted.py", "import sqlalchemy", "The protocol knows no framework"),
    ("authserver/protocol/planted.py", "from flask import request", "The protocol knows no framework"),
    ("authserver/store/planted.py", "import flask_sqlalchemy", "Flask-SQLAlchemy is confined"),
    ("authserver/services/planted.py", "from flask import g", "Only web, app, cli"),
    ("middleware/mcp_token_guard/planted.py", "import authserver", "The guard knows neither"),
    ("middleware/mcp_token_guard/planted.py", "import authlib", "The guard knows neither"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    ignore = shutil.ignore_patterns("__pycache__", "dist", "build", ".*")
    for name in ("authserver", "middleware"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("lint-imports")
    path = os.pathsep.join([str(tree), str(tree / "middleware")])
    return subprocess.run(
        [command, "--no-cache", "--no-logo"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_tree_as_it_is_keeps_every_contract(tree):
    linted = lint_imports(tree)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize(("file", "line", "contract"), PLANTS)
def test_a_planted_wrong_import_breaks_its_contract(tree, file, line, contract):
    planted = tree / file
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(line + "\n")
    linted = lint_imports(tree)
    assert linted.returncode == 1, linted.stdout + linted.stderr
    broken = [said for said in linted.stdout.splitlines() if " BROKEN" in said]
    assert any(contract in said for said in broken), linted.stdout
