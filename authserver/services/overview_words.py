"""What the overview says, in words: of what needs attention, and of what is counted; for console and command."""

from ..protocol.msg import Filled, msg
from ..store.tallies import Series
from .attention import Concern, Matter

SERIES = {
    Series.SIGN_INS: msg("sign-ins"),
    Series.FAILURES: msg("failures"),
    Series.TOKENS: msg("tokens"),
    Series.CLIENTS: msg("new clients"),
    Series.CALLS: msg("tool calls"),
}
ONE_OF = {
    Series.SIGN_INS: msg("1 sign-in"),
    Series.FAILURES: msg("1 failure"),
    Series.TOKENS: msg("1 token"),
    Series.CLIENTS: msg("1 new client"),
    Series.CALLS: msg("1 tool call"),
}
SEVERAL = {
    Matter.TRAIL_MOVED: msg("This database was restored from a dump: run authserver audit resume"),
    Matter.UNSEALED: msg("Events have waited {} seconds to be sealed"),
    Matter.STREAM: msg("The {about} does not take the audit trail"),
    Matter.KEYS_LACKING: msg("{} kinds of keys lack one that signs, or a standby: run authserver init"),
    Matter.KEYS_DUE: msg("A key has signed tokens for {} days: rotate it"),
    Matter.APPROVALS: msg("{} clients wait for approval"),
    Matter.DOCUMENTS: msg("{} clients' documents say something else by now, and wait"),
    Matter.REQUESTS: msg("{} requests of people wait for an administrator"),
    Matter.TOOLS: msg("{} tools of {about} wait to be agreed to"),
    Matter.ALERTS: msg("{} alerts that nobody has dismissed"),
    Matter.ATTEMPTS: msg("{} attempts to connect failed in the last 24 hours"),
    Matter.UNUSED: msg("{} registrations that nobody ever used"),
}
ONE = {
    Matter.KEYS_LACKING: msg("A kind of key lacks one that signs, or a standby: run authserver init"),
    Matter.APPROVALS: msg("A client waits for approval"),
    Matter.DOCUMENTS: msg("A client's document says something else by now, and waits"),
    Matter.REQUESTS: msg("Somebody's request waits for an administrator"),
    Matter.TOOLS: msg("A tool of {about} waits to be agreed to"),
    Matter.ALERTS: msg("An alert that nobody has dismissed"),
    Matter.ATTEMPTS: msg("An attempt to connect failed in the last 24 hours"),
}


OR_MORE = msg("{number} or more")


def said(concern: Concern) -> str:
    """What is said of *concern*; names in it may be anybody's."""
    words = ONE.get(concern.matter, "") if concern.number == 1 else ""
    number = Filled(OR_MORE, number=concern.number) if concern.more else concern.number
    return Filled(words or SEVERAL[concern.matter], number, about=concern.about)
