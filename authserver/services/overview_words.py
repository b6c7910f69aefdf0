"""What the overview says, in words: of what needs attention, and of what is counted; for console and command."""

from ..store.tallies import Series
from .attention import Concern, Matter

SERIES = {
    Series.SIGN_INS: "sign-ins",
    Series.FAILURES: "failures",
    Series.TOKENS: "tokens",
    Series.CLIENTS: "new clients",
    Series.CALLS: "tool calls",
}
SEVERAL = {
    Matter.TRAIL_MOVED: "This database was restored from a dump: run authserver audit resume",
    Matter.UNSEALED: "Events have waited {} seconds to be sealed",
    Matter.STREAM: "The {about} does not take the audit trail",
    Matter.KEYS_LACKING: "{} kinds of keys lack one that signs, or a standby: run authserver init",
    Matter.KEYS_DUE: "A key has signed tokens for {} days: rotate it",
    Matter.APPROVALS: "{} clients wait for approval",
    Matter.DOCUMENTS: "{} clients' documents say something else by now, and wait",
    Matter.REQUESTS: "{} requests of people wait for an administrator",
    Matter.TOOLS: "{} tools of {about} wait to be agreed to",
    Matter.ALERTS: "{} alerts that nobody has dismissed",
    Matter.ATTEMPTS: "{} attempts to connect failed in the last 24 hours",
    Matter.UNUSED: "{} registrations that nobody ever used",
}
ONE = {
    Matter.KEYS_LACKING: "A kind of key lacks one that signs, or a standby: run authserver init",
    Matter.APPROVALS: "A client waits for approval",
    Matter.DOCUMENTS: "A client's document says something else by now, and waits",
    Matter.REQUESTS: "Somebody's request waits for an administrator",
    Matter.TOOLS: "A tool of {about} waits to be agreed to",
    Matter.ALERTS: "An alert that nobody has dismissed",
    Matter.ATTEMPTS: "An attempt to connect failed in the last 24 hours",
}


def said(concern: Concern) -> str:
    """What is said of *concern*; names in it may be anybody's."""
    words = ONE.get(concern.matter, "") if concern.number == 1 else ""
    number = f"{concern.number}{' or more' if concern.more else ''}"
    return (words or SEVERAL[concern.matter]).format(number, about=concern.about)
