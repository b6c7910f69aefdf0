"""An answer that the guard gives itself."""

from dataclasses import dataclass

JSON = b"application/json"

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers (lower-case names, without Content-Length) and body."""

    status: int
    headers: Headers
    body: bytes = b""
