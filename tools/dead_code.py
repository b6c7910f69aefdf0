"""Vulture, told which names the templates use: it finds what nothing calls. Its settings are in ``pyproject.toml``."""

import sys
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, nodes
from vulture.config import make_config
from vulture.core import Vulture

from tools.owned_files import ROOT, owned_files


def names_in_templates(root: Path) -> Iterator[str]:
    """Yield every attribute that a template under ``root`` reads; raise ``TemplateSyntaxError`` for a broken one."""
    environment = Environment(autoescape=True, extensions=["jinja2.ext.i18n"])
    for file in owned_files(root, ".html", ".txt.j2"):
        tree = environment.parse(file.read_text(), filename=str(file))
        yield from (node.attr for node in tree.find_all(nodes.Getattr))


def main() -> int:
    """Print what nothing uses; return 0 if there is nothing, else vulture's exit code."""
    config = make_config(argv=[])
    ignored = [*config["ignore_names"], *names_in_templates(ROOT)]
    vulture = Vulture(ignore_names=ignored, ignore_decorators=config["ignore_decorators"])
    vulture.scavenge(config["paths"], exclude=config["exclude"])
    return int(vulture.report(min_confidence=config["min_confidence"]))


if __name__ == "__main__":
    sys.exit(main())
