"""The files of the project itself: no environment, no build, no package of others."""

import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OTHERS = {"build", "dist", "node_modules", "var", "vendor", "__pycache__"}


def owned_files(root: Path, *suffixes: str) -> Iterator[Path]:
    """Yield the files under ``root`` with one of the ``suffixes``, sorted; hidden folders are left out."""
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(name for name in subfolders if name not in OTHERS and not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(suffixes))
