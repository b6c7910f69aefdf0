"""The server's tools, published to its issuer: what people are asked about is then what the server has (docs/tools.md).

It happens in the guard's thread and is tried until there is an answer; nothing of it fails or holds up the server. What
the issuer takes is a claim like any other: what is new or changed waits there until somebody agrees.
"""

import asyncio
import json
import logging
import random
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from .background import finished, start
from .fetch import FetchError
from .identity import AsItself
from .refusals import IssuerUnavailable

ENDPOINT = "tool_manifest_endpoint"
TOLD = ("name", "title", "description", "annotations", "inputSchema")
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
TOO_MANY = 429
SERVER_ERRORS = 500

log = logging.getLogger("mcp_token_guard")


class Manifest:
    """Publishes tools, the newest list alone."""

    def __init__(self, as_itself: AsItself | None) -> None:
        """*as_itself* is None for a guard without identity, which can publish nothing."""
        self._as_itself = as_itself
        self._publishing: Future[None] | None = None

    def publish(self, tools: Iterable[object]) -> None:
        """Begin to publish *tools*; what is wrong is told by the log alone."""
        if self._as_itself is None:
            log.warning("tools are not published: this guard has no identity, Guard(identity=…)")
            return
        try:
            text = written(tools)
        except Exception:
            log.exception("tools are not published: they cannot be written as JSON")
            return
        if self._publishing is not None:
            self._publishing.cancel()
        self._publishing = start(_until_answered(self._as_itself, text))

    async def settle(self) -> None:
        """End what goes on: the server that it is about goes too."""
        if self._publishing is not None:
            self._publishing.cancel()
            await finished(self._publishing)


def written(tools: Iterable[object]) -> str:
    """The result of ``tools/list`` for *tools*, the SDK's objects or their JSON, with what an issuer looks at."""
    found = [_members(tool) for tool in tools]
    return json.dumps({"tools": [{name: tool[name] for name in TOLD if name in tool} for tool in found]})


def _members(tool: Any) -> Mapping[str, Any]:  # noqa: ANN401 - three libraries' objects
    if isinstance(tool, Mapping):
        return tool
    listed = tool.to_mcp_tool() if hasattr(tool, "to_mcp_tool") else tool
    members: Mapping[str, Any] = listed.model_dump(mode="json", by_alias=True, exclude_none=True)
    return members


async def _until_answered(as_itself: AsItself, text: str) -> None:
    wait = FIRST_WAIT
    while not await _published(as_itself, text, quiet=wait > FIRST_WAIT):
        # Replicas that began together do not all come again together.
        await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311
        wait = min(2 * wait, LONGEST_WAIT)


async def _published(as_itself: AsItself, text: str, *, quiet: bool) -> bool:
    """Whether there was an answer that lasts; *quiet*: the log knows already that there is none."""
    try:
        status, found = await as_itself.say(ENDPOINT, {"tools": text})
    except (FetchError, IssuerUnavailable) as error:
        log.log(logging.DEBUG if quiet else logging.WARNING, "tools are not published yet: %s", error)
        return False
    if status == TOO_MANY or status >= SERVER_ERRORS:
        log.log(logging.DEBUG if quiet else logging.WARNING, "tools are not published yet: answer %s", status)
        return False
    if status != 200:
        log.error("tools were refused (%s): %.300s", status, found.get("error_description") or found.get("error"))
    elif found.get("waiting"):
        log.warning("tools are published; %s wait to be agreed to: authserver resource agree", found["waiting"])
    else:
        log.info("tools are published")
    return True
