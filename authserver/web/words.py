"""How templates say things: times, names that strangers chose, and what a scope's risk means."""

import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from flask import Flask, g

from ..protocol import redirect_uri
from ..protocol.registry import address
from ..protocol.scope import Risk
from ..services import tool_limit
from ..services.tool_choices import ToolItem
from ..settings import Settings
from . import signed_in
from .origin import origin

LONGEST_NAME = 60
RISKS = {
    Risk.READ: "reads only",
    Risk.WRITE: "makes changes",
    Risk.DESTRUCTIVE: "can delete or destroy",
}


def install(app: Flask, settings: Settings) -> None:
    """Give templates their filters, and what every page shows."""
    app.jinja_env.filters.update(
        plain=plain,
        moment=moment,
        machine=machine,
        host=redirect_uri.host,
        owner=address.split,
        risk=lambda risk: RISKS[risk],
        opened_by=lambda tools, name: [tool for tool in tools if name in tool.scopes],
        limits=tool_limit.in_words,
        having=_having,
    )
    site = urlsplit(settings.issuer).netloc + urlsplit(settings.issuer).path

    @app.context_processor
    def shared() -> dict[str, object]:
        return {
            "site": site,
            "visitor": signed_in.visitor(),
            "note": g.get("note"),
            "correlation_id": origin().correlation_id,
        }


def _having(tools: Iterable[ToolItem], sought: str) -> list[ToolItem]:
    """Those of *tools* that have *sought* in their words."""
    wanted = sought.casefold()
    return [item for item in tools if wanted in f"{item.name} {item.tool.title} {item.tool.description}".casefold()]


def plain(text: str, longest: int = LONGEST_NAME) -> str:
    """*text* of a stranger on one line, without invisible and direction-changing characters, at most *longest* long."""
    visible = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    words = " ".join(visible.split())
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"


def moment(seconds: float) -> str:
    """Unix *seconds* for people, in UTC, to the minute."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def machine(seconds: float) -> str:
    """Unix *seconds* for the ``datetime`` of a ``<time>``."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
