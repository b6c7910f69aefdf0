"""A real uvicorn in a thread, for the guard's tests over real connections."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket
from typing import Any

import uvicorn


def listener() -> socket:
    """A listening socket on a free port of loopback."""
    listening = socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    return listening


@contextmanager
def serving_app(app: Any, listening: socket) -> Iterator[None]:
    """*app* on *listening* until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        # Connections made before the server is up wait in the socket's queue.
        yield
    finally:
        # Not by handle_exit: sse-starlette takes that for the end of the whole process.
        assert not server.should_exit, "the server ended by itself"
        server.should_exit = True
        thread.join()
        listening.close()
