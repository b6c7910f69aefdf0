"""Links from one page of the project to another file or heading must lead somewhere; the web is not asked."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.owned_files import ROOT, owned_files

FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?)\s*$", re.MULTILINE)


def dead_links(root: Path) -> Iterator[str]:
    """Yield a line for each relative link under ``root`` without a file, or without the heading it names."""
    for page in owned_files(root, ".md"):
        for link in LINK.findall(FENCE.sub("", page.read_text())):
            if ":" not in link and not _leads_somewhere(page, link):
                yield f"{page.relative_to(root)}: {link} leads nowhere"


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    if not anchor or target.suffix != ".md":
        return target.exists()
    return target.exists() and anchor in {_anchor(text) for text in HEADING.findall(target.read_text())}


def _anchor(heading: str) -> str:
    """Return the fragment that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def main() -> int:
    """Print the dead links; return 1 if there are any."""
    found = list(dead_links(ROOT))
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
