"""What needs attention, in words, each with the page where it is looked after; for the overview."""

from dataclasses import dataclass

from flask import url_for

from ...services.attention import Concern, Matter
from ...services.overview_words import said
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
    """Where a matter is looked after; ``kind`` is that of the approval queue."""

    endpoint: str
    pressing: bool = False
    kind: str | None = None


PLACES = {
    Matter.TRAIL_MOVED: Place("admin.audit", pressing=True),
    Matter.UNSEALED: Place("admin.audit", pressing=True),
    Matter.STREAM: Place("admin.audit", pressing=True),
    Matter.KEYS_LACKING: Place("admin.keys", pressing=True),
    Matter.KEYS_DUE: Place("admin.keys"),
    Matter.APPROVALS: Place("admin.approvals"),
    Matter.DOCUMENTS: Place("admin.approvals", kind="change"),
    Matter.REQUESTS: Place("admin.approvals", kind="grant"),
    Matter.TOOLS: Place("admin.server"),
    Matter.ALERTS: Place("admin.alerts"),
    Matter.ATTEMPTS: Place("admin.traces"),
    Matter.UNUSED: Place("admin.alike_clients"),
}


def notices() -> list[Notice]:
    """What the reader may know of and should look at."""
    concerns = deployment().attention.concerns()
    return [_notice(concern) for concern in concerns if may_open(PLACES[concern.matter].endpoint)]


def _notice(concern: Concern) -> Notice:
    place = PLACES[concern.matter]
    address = url_for(place.endpoint, kind=place.kind, id=concern.about if concern.matter is Matter.TOOLS else None)
    return Notice(said(concern), address, place.pressing)
