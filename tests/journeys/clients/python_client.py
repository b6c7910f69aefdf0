"""An MCP client on the official Python SDK, told what to do line by line (see ``tests.journeys.client``)."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider, OAuthFlowError
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken


def say(**event: Any) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


class FileStorage:
    """The SDK's `TokenStorage` in a file, so that a client restarted later, or a second process, finds it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _read(self) -> dict[str, Any]:
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def _write(self, **changes: Any) -> None:
        self.path.write_text(json.dumps({**self._read(), **changes}))

    async def get_tokens(self) -> OAuthToken | None:
        found = self._read().get("tokens")
        return OAuthToken.model_validate(found) if found else None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self._write(tokens=tokens.model_dump(mode="json", exclude_none=True))

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        found = self._read().get("client")
        return OAuthClientInformationFull.model_validate(found) if found else None

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self._write(client=client_info.model_dump(mode="json", exclude_none=True))


class Callback:
    """The loopback listener that the browser comes back to."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[dict[str, list[str]]] = asyncio.Queue()
        self.url = ""

    async def listen(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callback"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\nback at the client")
        await writer.drain()
        writer.close()
        if urlsplit(target).path == "/callback":
            await self.answers.put(parse_qs(urlsplit(target).query))

    async def answer(self) -> AuthorizationCodeResult:
        found = {name: values[0] for name, values in (await self.answers.get()).items()}
        if "error" in found:
            raise OAuthFlowError(found["error"])
        return AuthorizationCodeResult(code=found["code"], state=found.get("state"), iss=found.get("iss"))


async def open_browser(url: str) -> None:
    say(event="authorize", url=url)


async def note(response: httpx2.Response) -> None:
    request = response.request
    say(event="http", method=request.method, url=str(request.url), status=response.status_code)


class Host:
    """What an application around the SDK does."""

    def __init__(self, url: str, storage: FileStorage, callback: Callback, mode: str) -> None:
        metadata = OAuthClientMetadata(
            client_name="Python SDK journey",
            redirect_uris=[callback.url],
            token_endpoint_auth_method="none",
        )
        self.provider = OAuthClientProvider(
            url,
            metadata,
            storage,
            open_browser,
            callback.answer,
            client_metadata_url=os.environ.get("CLIENT_METADATA_URL"),
        )
        self.url = url
        self.mode = mode
        self.stack = AsyncExitStack()

    async def connect(self) -> None:
        http = httpx2.AsyncClient(auth=self.provider, event_hooks={"response": [note]}, timeout=60)
        transport = streamable_http_client(self.url, http_client=await self.stack.enter_async_context(http))
        self.client = await self.stack.enter_async_context(Client(transport, mode=self.mode))

    async def tools(self) -> list[str]:
        return [tool.name for tool in (await self.client.list_tools()).tools]

    async def call(self, tool: str, arguments: dict[str, Any]) -> str:
        result = await self.client.call_tool(tool, arguments)
        text = "\n".join(getattr(part, "text", "") for part in result.content)
        if result.is_error:
            raise RuntimeError(text)
        return text

    async def expire(self) -> None:
        """As if the access token's ``expires_in`` had passed."""
        self.provider.context.token_expiry_time = time.time() - 1


async def main() -> None:
    url, path, mode = sys.argv[1:]
    callback = Callback()
    await callback.listen()
    host = Host(url, FileStorage(Path(path)), callback, mode)
    commands: dict[str, Callable[..., Awaitable[Any]]] = {
        "connect": host.connect,
        "tools": host.tools,
        "call": host.call,
        "expire": host.expire,
    }
    async with host.stack:
        while line := await asyncio.to_thread(sys.stdin.readline):
            command = json.loads(line)
            try:
                say(event="done", result=await commands[command.pop("do")](**command))
            except Exception as problem:  # noqa: BLE001 - whatever the SDK raises is what the test wants to see
                say(event="failed", error=_reasons(problem))


def _reasons(problem: BaseException) -> str:
    inner = problem.exceptions if isinstance(problem, BaseExceptionGroup) else ()
    return "; ".join([f"{type(problem).__name__}: {problem}", *map(_reasons, inner)])


if __name__ == "__main__":
    asyncio.run(main())
