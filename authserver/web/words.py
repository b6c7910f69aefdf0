"""How templates say things: times, names that strangers chose, and what a scope's risk means."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from flask import Flask, g
from markupsafe import Markup, escape

from ..protocol import redirect_uri, strangers
from ..protocol.msg import msg
from ..protocol.registry import address
from ..protocol.scope import Risk
from ..services import tool_limit
from ..services.alerts import words as alert_words
from ..services.tool_choices import ToolItem
from ..settings import Settings
from ..store.alerts import AlertListing
from . import signed_in
from .languages import translated
from .origin import origin
from .own_words import happened

LONGEST_FACT = 120
CONTRADICTION = msg("What you ticked includes something that you did not tick. Tick both, or neither.")
OUTCOMES = frozenset(
    {
        msg("ok"),
        msg("tool error"),
        msg("error"),
        msg("refused"),
        msg("broken off"),
        msg("answered"),
        msg("one-time permission spent"),
        msg("one-time permission needed"),
        msg("one-time permission unconfirmed"),
    }
)
BETWEEN = re.compile(r"( -?[0-9]+|, )")
RISKS = {
    Risk.READ: msg("reads only"),
    Risk.WRITE: msg("makes changes"),
    Risk.DESTRUCTIVE: msg("can delete or destroy"),
}


def install(app: Flask, settings: Settings) -> None:
    """Give templates their filters, and what every page shows."""
    app.jinja_env.filters.update(
        plain=strangers.plain,
        moment=moment,
        machine=machine,
        host=redirect_uri.host,
        owner=address.split,
        told=told,
        risk=lambda risk: translated(RISKS[risk]),
        opened_by=lambda tools, name: [tool for tool in tools if name in tool.scopes],
        limits=lambda way: tool_limit.in_words(way, translated),
        having=_having,
        outcome=outcome,
        happened=lambda event: translated(happened(event)),
    )
    site = urlsplit(settings.issuer).netloc + urlsplit(settings.issuer).path

    @app.context_processor
    def shared() -> dict[str, object]:
        return {
            "site": site,
            "visitor": signed_in.visitor(),
            "note": g.get("note"),
            "correlation_id": origin().correlation_id,
            "second_factors": settings.second_factor != "off",
        }


def _having(tools: Iterable[ToolItem], sought: str) -> list[ToolItem]:
    """Those of *tools* that have *sought* in their words."""
    wanted = sought.casefold()
    return [item for item in tools if wanted in f"{item.name} {item.tool.title} {item.tool.description}".casefold()]


def outcome(told: str) -> str:
    """How a tool call came out, as its guard *told* (`protocol.tool_receipt`), in the page's language."""
    return "".join(translated(part) if part in OUTCOMES else part for part in BETWEEN.split(told))


def told(line: AlertListing) -> Markup:
    """What an alert says; what strangers chose in it keeps its direction to itself."""
    facts = {name: _quoted(name, _own(text)) for name, text in alert_words.facts(line).items()}
    sentence = Markup(translated(alert_words.sentence(line.kind)))  # noqa: S704 - words of ours
    return sentence.format_map(alert_words.Facts(facts))


def _own(text: str) -> str:
    """*text* in the page's language if it is a word of ours, as it is if somebody else chose it."""
    return translated(text) if text in alert_words.OWN else text


def _quoted(name: str, text: str) -> Markup:
    if name in {"client", "person"}:
        return Markup("<bdi>{}</bdi>").format(strangers.plain(text))
    words = strangers.plain(text, LONGEST_FACT)
    return Markup("<code>{}</code>").format(words) if name == "tool" else escape(words)


def moment(seconds: float) -> str:
    """Unix *seconds* for people, in UTC, to the minute."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def machine(seconds: float) -> str:
    """Unix *seconds* for the ``datetime`` of a ``<time>``."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
