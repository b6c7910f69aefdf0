"""A WSGI application behind a guard, asked in-process."""

from collections.abc import Iterable
from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults

from mcp_token_guard import Guard, current_caller
from tests.middleware.asgi_client import Answer


class App:
    """An application that remembers what reached it, and answers in pieces."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.closed = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.bodies.append(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return self.pieces()

    def pieces(self) -> Iterable[bytes]:
        try:
            yield b"for "
            yield current_caller().subject.encode()
        finally:
            self.closed = True


def ask(
    guard: Guard,
    app: Any,
    method: str = "POST",
    path: str = "/mcp",
    *,
    body: bytes = b"",
    wrap: Any = None,
    **environ: Any,
) -> Answer:
    """The answer to one request; *environ* has more of it, by WSGI's names; *wrap* goes around the guard."""
    asked: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SCRIPT_NAME": "",
        "wsgi.input": BytesIO(body),
    }
    if method == "POST":
        asked |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
    asked |= environ
    setup_testing_defaults(asked)
    begun: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        begun[:] = [status, headers]
        return lambda data: None

    answer: Any = (guard.wsgi(app) if wrap is None else wrap(guard.wsgi(app)))(asked, start_response)
    try:
        content = b"".join(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()
    return Answer(int(begun[0].split()[0]), {name.lower(): value for name, value in begun[1]}, content)
