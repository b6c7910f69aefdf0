"""Commands that are loaded when they are used: until then their group knows their names, and where they are."""

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module

import click


class Elsewhere(MutableMapping[str, click.Command]):
    """The commands of a group by name, of which *places* are in other modules: ``module.attribute`` of this package."""

    def __init__(self, places: Mapping[str, str]) -> None:
        """Loads none."""
        self._found: dict[str, click.Command | str] = {**places}

    def __getitem__(self, name: str) -> click.Command:
        found = self._found[name]
        if isinstance(found, str):
            module, _, attribute = found.partition(".")
            command: click.Command = getattr(import_module(f".{module}", __package__), attribute)
            self._found[name] = found = command
        return found

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._found[name] = command

    def __delitem__(self, name: str) -> None:
        del self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)
