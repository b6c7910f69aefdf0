"""What is wrong with something that an administrator wrote, and where in it."""

from dataclasses import dataclass

from .msg import Filled

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Flaw:
    """``what`` is wrong at ``where``: ``("clients", 2, "redirect_uris", 0)``."""

    where: Place
    what: str

    def inside(self, *outer: str | int) -> "Flaw":
        """The same flaw, seen from around *outer*."""
        return Flaw((*outer, *self.where), self.what)

    @property
    def path(self) -> str:
        """Where, to read: ``clients[2].redirect_uris[0]``."""
        return "".join(_step(step) for step in self.where).removeprefix(".")

    def __str__(self) -> str:
        return Filled("{}: {}", self.path, self.what) if self.where else self.what


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if step.isidentifier() else f'["{step}"]'
