"""What a message says: as a mail that names cause and next step, and as JSON for a webhook."""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from ...outbound.mail import Mail
from ...protocol.strangers import plain
from ...store.alerts import AlertListing, AlertStore
from ...store.notices import Message
from ..alerts import words as alert_words
from .gathering import ALERT, severity_of

APPROVAL = "approval."
TEST = "test"
LONGEST = 200
MOST_IN_MAIL = 20
FACTS = ("id", "kind", "resource", "client_id", "user_id", "tool", "detail", "raised_at")
CONSOLE = {ALERT: "/admin/alerts", APPROVAL: "/admin/approvals", TEST: "/admin"}
INNER_DOT = re.compile("(?<=[^\\s.])[.\N{IDEOGRAPHIC FULL STOP}](?=[^\\s.])")
SCHEME = re.compile(r"(?<=[^\W\d_]{2}):(?=\S)")


@dataclass(frozen=True, slots=True)
class Told:
    """What a message says: ``items`` with a sentence for each, what to do, and where in the console."""

    summary: str
    items: Sequence[dict[str, Any]]
    sentences: Sequence[str]
    remedy: str
    link: str


@dataclass(frozen=True, slots=True)
class Words:
    """Says what messages are about. Links lead to the console of the server at ``issuer``."""

    issuer: str
    alerts: AlertStore

    def mail(self, message: Message, receiver: str) -> Mail:
        """*message* for a person. What strangers chose is on one line, and nothing of it becomes a link."""
        told = self._told(message)
        shown, count = told.sentences[:MOST_IN_MAIL], message.told["count"]
        more = [f"- and {count - len(shown)} more"] if count > len(shown) else []
        lines = [
            *(f"- {sentence}" for sentence in shown),
            *more,
            "",
            f"What to do: {told.remedy}",
            f"Where: {told.link}",
            "",
            f"The authorization server {self.issuer} sends this because its setting notice_mail names you.",
        ]
        subject = f"[{urlsplit(self.issuer).hostname}] {told.summary}"
        return Mail(receiver, subject, "\n".join(lines) + "\n", message.id)

    def payload(self, message: Message) -> bytes:
        """*message* for a program: an object with ``type``, ``timestamp`` and ``data``, as Standard Webhooks has it."""
        told = self._told(message)
        items = [{**item, "text": text} for item, text in zip(told.items, told.sentences, strict=True)]
        data = {
            "severity": severity_of(message.topic),
            "count": message.told["count"],
            "summary": told.summary,
            "remedy": told.remedy,
            "link": told.link,
            "items": items,
        }
        at = datetime.fromtimestamp(message.created_at, UTC).isoformat().replace("+00:00", "Z")
        made = {"type": message.topic, "timestamp": at, "data": data}
        return json.dumps(made, separators=(",", ":")).replace("\x7f", "\\u007f").encode("ascii")

    def _told(self, message: Message) -> Told:
        items, count = message.told["items"], message.told["count"]
        sort = next((sort for sort in CONSOLE if message.topic.startswith(sort)), TEST)
        link = f"{self.issuer}{CONSOLE[sort]}"
        if sort == ALERT:
            kind = message.topic.removeprefix(ALERT)
            summary = f"{severity_of(message.topic)}: {_counted(count, kind.replace('_', ' '))}"
            lines = self._alerts(items)
            known = [{name: getattr(line, name) for name in FACTS} if line else item for line, item in lines]
            sentences = [alert_words.told(line, inert) if line else alert_words.UNKNOWN for line, _ in lines]
            return Told(summary, known, sentences, alert_words.remedy(kind), link)
        if sort == APPROVAL:
            summary = f"{_counted(count, 'request')} for a decision"
            return Told(summary, items, [_asks(item) for item in items], "Approve or deny it before it expires.", link)
        return Told("a test", items, [str(item["text"]) for item in items], "Nothing: notices reach you.", link)

    def _alerts(self, items: Sequence[dict[str, Any]]) -> list[tuple[AlertListing | None, dict[str, Any]]]:
        known = self.alerts.listed([str(item["id"]) for item in items])
        return [(known.get(str(item["id"])), item) for item in items]


def inert(text: str) -> str:
    """*text* of a stranger on one line, of which no mail program makes a link: ``evil[.]example``, ``https[:]//``.

    What browsers take for a dot, a colon or an ``@`` (UTS 46) counts as one.
    """
    line = plain(unicodedata.normalize("NFKC", text), LONGEST)
    return SCHEME.sub("[:]", INNER_DOT.sub("[.]", line)).replace("://", "[:]//").replace("@", "[@]")


def _asks(item: dict[str, Any]) -> str:
    name = inert(str(item.get("name") or "")) or "an app without a name"
    facts = [inert(str(item[fact])) for fact in ("what", "who") if item.get(fact)]
    return f"{name}: {', '.join(facts)}" if facts else name


def _counted(count: int, what: str) -> str:
    return what if count == 1 else f"{count} × {what}"
