"""What lies between the nodes and their database: a proxy that delays, falls silent, or points elsewhere."""

import asyncio
import threading
from contextlib import suppress

CHUNK = 65_536


class Proxy:
    """Forwards connections to port ``target`` of *host*, each message ``delay`` seconds late.

    *host* is loopback or, as libpq has it, the folder of PostgreSQL's sockets.
    """

    def __init__(self, port: int, target: int, host: str = "127.0.0.1") -> None:
        self.port = port
        self.target = target
        self._host = host
        self.delay = 0.0
        self._loop = asyncio.new_event_loop()
        self._never = asyncio.Event()
        self._generation = 0
        self._thread = threading.Thread(target=self._run, name=f"proxy {port}", daemon=True)
        self._ready = threading.Event()

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        self._ready.wait(10)

    def stop(self) -> None:
        """Close what is open, and listen no more."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def fall_silent(self) -> None:
        """Forward nothing more on the connections that there are, and close none of them, whatever happens."""
        self._generation += 1

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._join, "127.0.0.1", self.port))
        self._ready.set()
        self._loop.run_forever()
        server.close()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await self._reach()
        except OSError:
            writer.transport.abort()
            return
        born = self._generation
        both = (self._pump(reader, far_writer, born), self._pump(far_reader, writer, born))
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*both)
        for end in (writer, far_writer):
            end.transport.abort()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._host.startswith("/"):
            return await asyncio.open_unix_connection(f"{self._host}/.s.PGSQL.{self.target}")
        return await asyncio.open_connection(self._host, self.target)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, born: int) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if born < self._generation:
                    await self._never.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
