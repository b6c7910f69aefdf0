"""What needs attention, in words, each with the page where it is looked after; for the overview."""

from dataclasses import dataclass

from flask import url_for

from ...services.attention import Attention, Concern, Matter
from ..deployment import deployment
from .access import may_open


@dataclass(frozen=True, slots=True)
class Notice:
    """A concern as the overview shows it, with the ``address`` of a page; ``pressing``: something is wrong."""

    words: str
    address: str
    pressing: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a matter is looked after, and what is said of several of it, and of one where that is another thing.

    ``kind`` is that of the approval queue.
    """

    endpoint: str
    several: str
    one: str = ""
    pressing: bool = False
    kind: str | None = None


PLACES = {
    Matter.TRAIL_MOVED: Place(
        "admin.audit", "This database was restored from a dump: run authserver audit resume", pressing=True
    ),
    Matter.UNSEALED: Place("admin.audit", "Events have waited {} seconds to be sealed", pressing=True),
    Matter.STREAM: Place("admin.audit", "The {about} does not take the audit trail", pressing=True),
    Matter.KEYS_LACKING: Place(
        "admin.keys",
        "{} kinds of keys lack one that signs, or a standby: run authserver init",
        "A kind of key lacks one that signs, or a standby: run authserver init",
        pressing=True,
    ),
    Matter.KEYS_DUE: Place("admin.keys", "A key has signed tokens for {} days: rotate it"),
    Matter.APPROVALS: Place("admin.approvals", "{} clients wait for approval", "A client waits for approval"),
    Matter.DOCUMENTS: Place(
        "admin.approvals",
        "{} clients' documents say something else by now, and wait",
        "A client's document says something else by now, and waits",
        kind="change",
    ),
    Matter.REQUESTS: Place(
        "admin.approvals",
        "{} requests of people wait for an administrator",
        "Somebody's request waits for an administrator",
        kind="grant",
    ),
    Matter.TOOLS: Place(
        "admin.server", "{} tools of {about} wait to be agreed to", "A tool of {about} waits to be agreed to"
    ),
    Matter.ALERTS: Place("admin.alerts", "{} alerts that nobody has dismissed", "An alert that nobody has dismissed"),
    Matter.ATTEMPTS: Place(
        "admin.traces",
        "{} attempts to connect failed in the last 24 hours",
        "An attempt to connect failed in the last 24 hours",
    ),
    Matter.UNUSED: Place("admin.alike_clients", "{} registrations that nobody ever used"),
}


def notices() -> list[Notice]:
    """What the reader may know of and should look at."""
    found = deployment()
    settings = found.settings
    attention = Attention(found.stores, found.rotation, settings.most_unused_registrations, settings.audit_targets)
    return [_notice(concern) for concern in attention.concerns() if may_open(PLACES[concern.matter].endpoint)]


def said(concern: Concern) -> str:
    """What is said of a concern."""
    place = PLACES[concern.matter]
    words = place.one if concern.number == 1 and place.one else place.several
    return words.format(f"{concern.number}{' or more' if concern.more else ''}", about=concern.about)


def _notice(concern: Concern) -> Notice:
    place = PLACES[concern.matter]
    address = url_for(place.endpoint, kind=place.kind, id=concern.about if concern.matter is Matter.TOOLS else None)
    return Notice(said(concern), address, place.pressing)
