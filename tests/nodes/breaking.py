"""A way to PostgreSQL that breaks where a test wants it: the server has answered, and nobody hears it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import make_url

SOCKET = ".s.PGSQL.5432"
CHUNK = 65_536
END = b"Z\0\0\0\5I"  # ReadyForQuery outside of a transaction: what was done is committed


@dataclass
class Breaking:
    """``folder`` is the host that leads this way. ``lost`` counts the answers that were swallowed."""

    server: str
    folder: str
    lost: int = 0
    _after: list[bytes] = field(default_factory=list)

    def url(self, url: str) -> str:
        """*url*, by this way."""
        by_this_way = make_url(url).update_query_dict({"host": self.folder})
        return by_this_way.render_as_string(hide_password=False)

    def lose_answer_to(self, words: bytes) -> None:
        """Break the next connection that has sent *words*, once the server has committed what it was told."""
        self._after.append(words)

    def carry(self, client: socket.socket) -> None:
        """Carry one connection, both ways, until it ends."""
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self.server)
            marked = threading.Event()
            thread = threading.Thread(target=self._there, args=(client, server, marked))
            thread.start()
            self._back(client, server, marked)
            thread.join()

    def _there(self, client: socket.socket, server: socket.socket, marked: threading.Event) -> None:
        with suppress(OSError):
            while sent := client.recv(CHUNK):
                for words in [each for each in self._after if each in sent]:
                    self._after.remove(words)
                    marked.set()
                server.sendall(sent)
        _end(server)

    def _back(self, client: socket.socket, server: socket.socket, marked: threading.Event) -> None:
        with suppress(OSError):
            while answer := server.recv(CHUNK):
                if marked.is_set() and answer.endswith(END):
                    self.lost += 1
                    break
                client.sendall(answer)
        _end(client)


@contextmanager
def breaking(url: str) -> Iterator[Breaking]:
    """A breaking way to the server of the database at *url*."""
    server = Path(str(make_url(url).query["host"]), SOCKET)
    with TemporaryDirectory(prefix="way-") as folder, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(Path(folder, SOCKET)))
        listening.listen(50)
        way = Breaking(str(server), folder)
        threading.Thread(target=_accept, args=(listening, way), daemon=True).start()
        yield way
        _end(listening)


def _accept(listening: socket.socket, way: Breaking) -> None:
    with suppress(OSError):
        while True:
            threading.Thread(target=way.carry, args=(listening.accept()[0],), daemon=True).start()


def _end(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
