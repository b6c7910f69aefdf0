"""Parameters of a request, parsed once at the edge into a value (RFC 6749 §3.1, §3.2: none may repeat)."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from .errors import InvalidRequest

REPEATABLE = frozenset({"resource"})
MOST_PARAMETERS = 100


@dataclass(frozen=True, slots=True)
class Form:
    """Parameters by name. Empty values count as left out (RFC 6749 §3.1)."""

    single: dict[str, str]
    resources: tuple[str, ...] = ()

    def get(self, name: str) -> str | None:
        """The value of *name*, or None."""
        return self.single.get(name)

    def need(self, name: str) -> str:
        """The value of *name*; raises `InvalidRequest` if it is missing."""
        value = self.single.get(name)
        if value is None:
            raise InvalidRequest(f"{name} is required")
        return value


def parse(encoded: bytes | str) -> Form:
    """Read ``application/x-www-form-urlencoded`` text, body or query.

    Raises `InvalidRequest` for a repeated parameter (only ``resource`` may repeat, RFC 8707 §2), NUL or malformed
    UTF-8, and more than 100 parameters.
    """
    try:
        text = encoded.decode("ascii") if isinstance(encoded, bytes) else encoded
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise InvalidRequest("parameters must be form-urlencoded UTF-8, 100 at most") from None
    return _collect(pairs)


def _collect(pairs: Iterable[tuple[str, str]]) -> Form:
    single: dict[str, str] = {}
    repeated: list[str] = []
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise InvalidRequest("parameters must not contain NUL")
        if name in REPEATABLE:
            repeated.append(value)
        elif name in single:
            raise InvalidRequest("a parameter is repeated")
        else:
            single[name] = value
    return Form({name: value for name, value in single.items() if value}, tuple(filter(None, repeated)))
