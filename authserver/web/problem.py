"""A problem as people read it."""

from dataclasses import dataclass

from werkzeug.exceptions import Forbidden

from ..protocol.registry.known import KnownClient


@dataclass(frozen=True, slots=True)
class Problem:
    """A title, what happened, and what they can do.

    ``name`` is what the app calls itself and ``address`` the host that it asked for, a stranger's words both.
    ``resets``: the known clients that it may be, to be reset (none of them: it could be any); None where that is no
    help.
    """

    title: str
    happened: str
    remedy: tuple[str, ...] = ()
    name: str = ""
    address: str = ""
    resets: tuple[KnownClient, ...] | None = None


class Refused(Forbidden):
    """A page or an act that is not open to whoever asks; *problem* says to them why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem
