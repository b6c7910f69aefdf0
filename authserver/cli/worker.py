"""gunicorn's worker with threads, which spends none on what it can do by itself: answer, wait, and send away.

The main thread reads what comes until a request is whole, and answers guards that have nothing to learn. Threads get
whole requests, each kind as many threads as its lane has. So neither clients that send slowly nor a flood of one kind
hold what another needs. Plain calls go a short way, and the thread that has answered one waits a moment for the next.
"""

import gc
import select
import socket
import threading
import time
from collections import OrderedDict, deque
from concurrent.futures import Future
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from ..observability.requests import Requests
from ..services.deployment import Deployment
from ..web import busy, observed
from ..web.arriving import Arriving, Come, come
from ..web.backchannel.unchanged import Unchanged
from ..web.lanes import Lane, Turns, lane_of
from .evenly import FULL, Evenly
from .leaving import Leaving
from .short_way import ShortWay
from .sockets import bound, may_open, sends_more, sent, takes_more, what_came
from .streaming import Bounded

MOST_HELD = 16_777_216  # bytes of requests that have not come whole, all together
STOPPED_SECONDS = 2.0  # that a worker which is told to stop gives a request to arrive
MOST_UNSEEN = 65_536  # bytes of answers before a look whether the client reads them: far less than the buffer
MOST_STAYED = 100  # answers, after which the others have their turn, whether they were noticed or not


class Worker(ThreadWorker):  # type: ignore[misc]
    """Looks at what comes before a thread does. Connections by TLS to gunicorn itself are left to gunicorn."""

    def load_wsgi(self) -> None:
        """Load the application, and what answers for it."""
        super().load_wsgi()
        found: Deployment = self.wsgi.extensions["authserver"]
        self._is_gunicorns = self.cfg.is_ssl or "h2" in self.cfg.http_protocols
        self._issuer, self._seconds = found.settings.issuer, found.settings.request_seconds
        self._unchanged = Unchanged(found.status_lists, self._issuer)
        self._refusals = busy.refusals(self.wsgi)
        self._turns: Turns[Any] = Turns(self.cfg.threads)
        self._arriving: OrderedDict[Any, Arriving] = OrderedDict()
        self._held = 0
        self._leaving = Leaving(self.poller, self._close)
        self._short_way = ShortWay(self.wsgi)
        self._queue: deque[Lane] = deque()  # of each request that waits for a thread, though it has its turn
        self._requests: Requests = self.wsgi.extensions["authserver.requests"]
        self._requests.wait_in(lambda: self._turns.waiting(self._queue.copy()))
        self._readiness, self._drain_seconds = found.readiness, found.settings.drain_seconds
        self._evenly = Evenly(self.age, self.cfg.threads)
        may_open(2 * self.worker_connections)
        gc.collect()
        gc.freeze()  # what is loaded stays: looking through all of it would stop every thread for a fifth of a second

    def handle_exit(self, sig: int, frame: Any) -> None:  # noqa: ANN401 - gunicorn's handler of SIGTERM
        """Be ready no more; stop when whoever looks at that has had the time to go elsewhere."""
        stop = super().handle_exit
        if not self.booted:  # nobody was told that it is ready
            stop(sig, frame)
            return
        self._readiness.drain()
        threading.Timer(self._drain_seconds, stop, (sig, frame)).start() if self._drain_seconds else stop(sig, frame)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept or not; who will not any more takes in who waits, and lets go of the port at once.

        Kept open until the last answer, as gunicorn does, it would go on collecting connections that nobody answers:
        a proxy would wait in vain instead of going to another node.
        """
        super().set_accept_enabled(enabled and self.alive)
        if self.alive:
            return
        self._evenly.tell(FULL)
        for listener in self.sockets:
            while select.select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()
        self.sockets.clear()

    def accept(self, listener: socket.socket) -> None:
        """Take a new connection, if no worker that has fewer does; where there is no room, in the place of another."""
        if self.alive and self._evenly.leaves(listener, self.nr_conns):
            return
        while self.nr_conns >= self.worker_connections - 1 and self._make_room():
            pass
        super().accept(listener)

    def notify(self) -> None:
        """Tell the master that this worker lives, and the others how many connections it has."""
        super().notify()
        self._evenly.tell(self.nr_conns if self.alive else FULL)

    def enqueue_req(self, conn: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        """Wait for the next request on *conn* to be whole, with what has been read of it already."""
        if self._is_gunicorns:
            super().enqueue_req(conn)
            return
        if not conn.initialized:
            bound(conn.sock, self._seconds)
            conn.answered, conn.unseen = False, 0
        conn.init()
        conn.sock.setblocking(False)
        now = time.monotonic()
        found = self._arriving[conn] = Arriving(now + self._seconds, now + STOPPED_SECONDS)
        self._hold(found, conn.parser.unreader.take_buffered())
        if not found.received or not self._go_on(conn, found):
            self._receive(conn)

    def on_client_socket_readable(self, conn: Any, client: socket.socket) -> None:  # noqa: ANN401
        """Answer here what came on a kept connection, or see to it that all of it comes."""
        received = what_came(client) if client.fileno() >= 0 else None
        if received is None:  # or closed, to make room, since its turn came
            return
        answer = self._unchanged.answer(received) if self.alive else None
        if answer is None:
            conn.parser.unreader.unread(received)
            super().on_client_socket_readable(conn, client)
            return
        self.keepalived_conns.remove(conn)
        if sent(client, answer):
            conn.set_timeout()
            self.keepalived_conns.append(conn)
            return
        self.poller.unregister(client)
        self._close(conn)

    def handle(self, conn: Any) -> Any:  # noqa: ANN401
        """In a thread: answer what came on *conn*, and calls that come right after it. Whether it is kept."""
        if self._is_gunicorns:
            return super().handle(conn)
        self._queue.popleft()
        observed.came(conn.came)
        try:
            kept = self._answer(conn, conn.parser.unreader.take_buffered())
            for _ in range(MOST_STAYED):
                received = what_came(conn.sock) if kept is True and self._stays(conn) else None
                if received is None:
                    break
                kept = bool(received) and self._answer_next(conn, received)
        except OSError:
            return False
        return kept

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:  # noqa: ANN401
        """Keep or close the connection, and let those go on who waited for the thread."""
        lane = getattr(conn, "lane", None)
        if fs.cancelled() or fs.exception() or fs.result():
            super().finish_request(conn, fs)
        else:
            self._leaving.add(conn)
        for of, waiting in self._turns.leave(lane) if lane else ():
            self._start(waiting, of)

    def murder_pending(self) -> None:
        """Close connections whose request did not arrive in time; send those away who waited too long."""
        super().murder_pending()
        self._leaving.close_late()
        now = time.monotonic()
        while self._arriving and now > (first := next(iter(self._arriving.items())))[1].until:
            self._drop(first[0])
        if not self.alive:
            for conn in [conn for conn, found in self._arriving.items() if now > found.until_stopped]:
                self._drop(conn)
        for lane, conn in self._turns.weary():
            self._send_away(conn, self._refusals[lane])

    # ---- a request that arrives

    def _make_room(self) -> bool:
        """Close a connection that is done, or has been sending longest, or else resting; False if all are at work."""
        if self._leaving.close_first():
            return True
        if self._arriving:
            self._drop(next(iter(self._arriving)))
        elif self.keepalived_conns:
            conn = self.keepalived_conns.popleft()
            self.poller.unregister(conn.sock)
            self._close(conn)
        else:
            return False
        return True

    def _receive(self, conn: Any, _client: object = None) -> None:  # noqa: ANN401
        found = self._arriving.get(conn)
        if found is None:  # closed, to make room, since its turn came
            return
        received = what_came(conn.sock)
        if received is None:
            self._watch(conn, found)
        elif received:
            self._hold(found, received)
            if not self._go_on(conn, found):
                self._watch(conn, found)
            while self._held > MOST_HELD:
                self._drop(next(iter(self._arriving)))
        else:
            self._drop(conn)

    def _go_on(self, conn: Any, found: Arriving) -> bool:  # noqa: ANN401
        """Whether enough of the request has come to do something about it, which is then done."""
        has_come = come(found.received)
        if has_come is Come.PART:
            return False
        self._forget(conn)
        conn.kind = lane_of(found.received, self._issuer)
        if has_come is Come.TOO_MUCH:
            self._send_away(conn, busy.too_large())
            return True
        unreader = conn.parser.unreader
        unreader.unread(bytes(found.received))
        # Where it is whole, nothing more is read: whoever thinks otherwise does not get to wait for it.
        unreader.sock = Bounded(conn.sock, self._seconds if has_come is Come.STREAM else 0)
        self._take_turn(conn, Lane.STREAMS if has_come is Come.STREAM else conn.kind)
        return True

    def _hold(self, found: Arriving, received: bytes) -> None:
        found.received += received
        self._held += len(received)

    def _watch(self, conn: Any, found: Arriving) -> None:  # noqa: ANN401
        if not found.watched:
            found.watched = True
            self.poller.register(conn.sock, EVENT_READ, lambda client: self._receive(conn, client))

    def _forget(self, conn: Any) -> None:  # noqa: ANN401
        found = self._arriving.pop(conn)
        self._held -= len(found.received)
        if found.watched:
            self.poller.unregister(conn.sock)

    def _drop(self, conn: Any) -> None:  # noqa: ANN401
        self._forget(conn)
        self._close(conn)

    # ---- a request that has arrived

    def _take_turn(self, conn: Any, lane: Lane) -> None:  # noqa: ANN401
        if conn.answered and not takes_more(conn.sock):
            self._close(conn)  # it asks on and does not read: the next answer would hold a thread
            return
        conn.came = time.perf_counter()
        turn = self._turns.enter(lane, conn)
        if turn:
            self._start(conn, lane)
        elif turn is None:
            self._send_away(conn, self._refusals[lane])

    def _start(self, conn: Any, lane: Lane) -> None:  # noqa: ANN401
        conn.lane = lane
        self._queue.append(lane)
        super().enqueue_req(conn)

    def _answer(self, conn: Any, received: bytes) -> Any:  # noqa: ANN401
        conn.answered = True
        found = self._short_way.answer(conn, received, keep=self.alive)
        if found is not None:
            return found
        conn.parser.unreader.unread(received)
        conn.unseen = MOST_UNSEEN + 1  # however much gunicorn writes
        return super().handle(conn)

    def _answer_next(self, conn: Any, received: bytes) -> bool:  # noqa: ANN401
        """What is not plain, or of another lane, is left on *conn*, for the main thread to see to."""
        mine = lane_of(received, self._issuer) in (Lane.CALLS, conn.lane)
        found = self._short_way.answer(conn, received, keep=self.alive) if mine else None
        if found is None:
            conn.parser.unreader.unread(received)
        return found is not False

    def _stays(self, conn: Any) -> bool:  # noqa: ANN401
        """Whether the thread waits a moment for what comes on *conn* next, and something does."""
        free = self._is_spared(conn)
        if free and conn.unseen > MOST_UNSEEN:
            free, conn.unseen = takes_more(conn.sock), 0
        return free and sends_more(conn.sock) and self._is_spared(conn)

    def _is_spared(self, conn: Any) -> bool:  # noqa: ANN401
        """Whether nobody waits for the thread, or for the turn, that *conn* has."""
        return self.alive and not (self._queue or conn.parser.unreader.buf.tell()) and self._turns.spares(conn.lane)

    def _send_away(self, conn: Any, answer: bytes) -> None:  # noqa: ANN401
        self._requests.sent_away(conn.kind.value, answer.split(b" ", 2)[1].decode())
        sent(conn.sock, answer)
        self._leaving.add(conn)

    def _close(self, conn: Any) -> None:  # noqa: ANN401
        self.nr_conns -= 1
        conn.close()
