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

    def with_length(self) -> Headers:
        """The headers, with the length of the body where there may be one (RFC 9110 §8.6)."""
        if self.status in (204, 304):
            return self.headers
        return [*self.headers, (b"content-length", b"%d" % len(self.body))]
