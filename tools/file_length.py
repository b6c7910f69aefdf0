"""A file has one subject: none of ours needs more than ``LIMIT`` lines."""

import sys
from collections.abc import Iterator
from pathlib import Path

from tools.owned_files import ROOT, owned_files

LIMIT = 300
SUFFIXES = (".css", ".html", ".js", ".mjs", ".py", ".ts")


def too_long(root: Path) -> Iterator[str]:
    """Yield a line for each file under ``root`` that exceeds the limit."""
    for file in owned_files(root, *SUFFIXES):
        lines = file.read_bytes().count(b"\n")
        if lines > LIMIT:
            yield f"{file.relative_to(root)}: {lines} lines, {LIMIT} at most"


def main() -> int:
    """Print what is too long; return 1 if anything is."""
    found = list(too_long(ROOT))
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
