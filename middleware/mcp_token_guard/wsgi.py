"""The guard in front of a WSGI application: Flask, Django, or a plain one, judged exactly as under ASGI.

No event loop is needed: a request's own thread runs the decision, and waits for the guard's thread where something has
to be fetched. Responses pass as the application makes them, piece by piece.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context, copy_context
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any

from . import cors
from .admission import Admitted, ReadBody, Request, admit, too_large
from .background import drive
from .caller import CALLER
from .refusals import GuardError
from .replies import Headers, Reply

if TYPE_CHECKING:
    from .guard import Guard

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
WSGIApp = Callable[[Environ, StartResponse], Iterable[bytes]]

ENVIRON_KEY = "mcp_token_guard.caller"
PIECE = 64 * 1024
DIGITS = re.compile("[0-9]+")


class GuardedWSGIApp:
    """A WSGI application behind a `Guard`.

    The application finds the `Caller` in ``environ["mcp_token_guard.caller"]``, and in `current_caller`, also while
    its answer is being made piece by piece.
    """

    def __init__(self, app: WSGIApp, guard: "Guard") -> None:
        self._app = app
        self._guard = guard

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        request = request_of(environ)
        if request.path in self._guard.open_paths:
            return self._app(environ, start_response)
        outcome = drive(admit(self._guard, request, _reader(environ)))
        if isinstance(outcome, Reply):
            return _answer(outcome, request.method, start_response)
        if outcome.body is not None:
            environ["wsgi.input"] = BytesIO(outcome.body)
            environ["CONTENT_LENGTH"] = str(len(outcome.body))
        environ[ENVIRON_KEY] = outcome.caller
        return self._serve(environ, outcome, start_response)

    def _serve(self, environ: Environ, admitted: Admitted, start_response: StartResponse) -> Iterable[bytes]:
        context = copy_context()
        context.run(CALLER.set, admitted.caller)
        try:
            if admitted.listing is not None:
                environ.pop("HTTP_ACCEPT_ENCODING", None)
            pieces = self._begin(environ, context, _Start(start_response, admitted))
        except BaseException:
            if admitted.receipt is not None:
                admitted.receipt.ended(whole=False)
            raise
        return _Pieces(pieces, context, admitted)

    def _begin(self, environ: Environ, context: Context, start: "_Start") -> Iterable[bytes]:
        try:
            return context.run(self._app, environ, start)
        except GuardError as refusal:
            if start.begun:
                raise
            return _answer(self._guard.challenges.reply(refusal), environ["REQUEST_METHOD"], start)


def request_of(environ: Environ) -> Request:
    """The head of the request in *environ* (PEP 3333)."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    decoded = path.encode("latin-1").decode("utf-8", "surrogateescape")
    return Request(
        environ["REQUEST_METHOD"], decoded, list(_headers(environ)), environ.get("QUERY_STRING", "").encode("latin-1")
    )


def _headers(environ: Environ) -> Iterator[tuple[bytes, bytes]]:
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            header = name[5:]
        elif name in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value:
            header = name
        else:
            continue
        yield header.replace("_", "-").lower().encode("latin-1"), value.encode("latin-1", "replace")


def _reader(environ: Environ) -> ReadBody:
    """Reads what the server gives: to the end where it marks one, else as many bytes as were announced."""
    declared = environ.get("CONTENT_LENGTH") or "0"
    endless = bool(environ.get("wsgi.input_terminated"))

    async def read(most: int) -> bytes:
        left = most + 1 if endless else min(most + 1, int(declared[:20]) if DIGITS.fullmatch(declared) else 0)
        body = bytearray()
        while left > 0 and (piece := environ["wsgi.input"].read(min(left, PIECE))):
            body += piece
            left -= len(piece)
        if len(body) > most:
            raise too_large(most)
        return bytes(body)

    return read


class _Start:
    """*start_response*, with the headers of CORS; ``begun`` once it was called."""

    def __init__(self, start_response: StartResponse, admitted: Admitted) -> None:
        self._start_response = start_response
        self._receipt = admitted.receipt
        self._listing = admitted.listing
        self.begun = False

    def __call__(self, status: str, headers: list[tuple[str, str]], *rest: object) -> Callable[[bytes], object]:
        self.begun = True
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if self._receipt is not None and DIGITS.fullmatch(status[:3]):
            self._receipt.start(int(status[:3]), [(name.lower(), value) for name, value in raw])
        if self._listing is not None:
            raw = self._listing.start(raw)
        return self._start_response(status, _as_text(cors.opened(raw)), *rest)


class _Pieces:
    """The application's answer, each piece made in the *context* of its caller."""

    def __init__(self, pieces: Iterable[bytes], context: Context, admitted: Admitted) -> None:
        self._pieces = pieces
        self._context = context
        self._receipt = admitted.receipt
        self._listing = admitted.listing
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        rest = self._context.run(iter, self._pieces)
        while (piece := self._context.run(next, rest, None)) is not None:
            if self._receipt is not None:
                self._receipt.piece(piece)
            yield piece if self._listing is None else self._listing.feed(piece)
        if self._listing is not None:
            yield self._listing.finish()
        if self._receipt is not None:
            self._receipt.piece(b"", last=True)
        self._ended = True

    def close(self) -> None:
        """End the answer (PEP 3333)."""
        try:
            if hasattr(self._pieces, "close"):
                self._context.run(self._pieces.close)
        finally:
            if self._receipt is not None:
                self._receipt.ended(whole=self._ended)


def _answer(reply: Reply, method: str, start_response: Callable[..., object]) -> list[bytes]:
    status = HTTPStatus(reply.status)
    start_response(f"{status.value} {status.phrase}", _as_text(cors.opened(reply.with_length())))
    return [] if method == "HEAD" else [reply.body]


def _as_text(headers: Headers) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
