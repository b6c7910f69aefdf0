"""What an alert says, and what to do about it: one sentence for console, mail and webhook."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ...protocol.alert import AlertKind
from ...protocol.msg import msg
from ...store.alerts import AlertListing

UNKNOWN = msg("Something looked unusual that this version has no words for.")
NAMELESS = msg("an app without a name")
SOMEBODY = msg("somebody")
OWN = frozenset({NAMELESS, SOMEBODY, msg("refresh token"), msg("authorization code"), msg("people"), msg("sources")})
"""What facts may say that nobody else chose."""
SENTENCES = {
    AlertKind.FIRST_DESTRUCTIVE_USE: msg(
        "{client} used {tool}, which can delete or destroy, for {person} for the first time on {resource}."
    ),
    AlertKind.MANY_CALLS: msg(
        "{tool} was called {calls} times in 24 hours; in the week before it was {normal} a day on {resource}."
    ),
    AlertKind.MANY_REFUSALS: msg("{calls} or more calls of {client} were refused within an hour on {resource}."),
    AlertKind.RECEIPTS_LOST: msg(
        "{receipts} or more receipts were lost, so that not all calls are listed that were made on {resource}."
    ),
    AlertKind.FAILED_SIGN_INS_OF_ACCOUNT: msg(
        "{failures} sign-ins of {person} failed within {minutes} minutes, {today} that day (UTC)."
    ),
    AlertKind.FAILED_SIGN_INS_OF_SOURCE: msg(
        "{failures} sign-ins from {source} failed within {minutes} minutes, {today} that day (UTC)."
    ),
    AlertKind.FAILED_SIGN_INS_OF_MANY: msg(
        "Sign-ins of more than {most} {whom} failed too often within 24 hours: single {whom} are no longer told."
    ),
    AlertKind.FAILED_SIGN_INS_OVERALL: msg(
        "{failures} sign-ins failed within {minutes} minutes, of several people or from "
        "several places, {today} that day (UTC)."
    ),
    AlertKind.TOKEN_REUSED: msg(
        "A {what} of {client} for {person} was used twice, the second time from {source}, so its "
        "tokens were ended: somebody may have copied it. It is for {resource}."
    ),
    AlertKind.SIGN_IN_COPIED: msg(
        "What kept a browser of {person} signed in was used twice, the second time from {source}, so what it opened "
        "was ended: somebody may have copied it."
    ),
    AlertKind.NEW_NETWORK: msg(
        "{client} got new tokens for {person} from the network {network}, where it never was before, for {resource}."
    ),
    AlertKind.MANY_NEW_NETWORKS: msg(
        "{client} got new tokens for {person} from {more} more new networks that day (UTC), beside {most} that were "
        "told one by one, for {resource}."
    ),
    AlertKind.TRAIL_UNSEALED: msg("The audit trail has not been sealed since {since} (UTC)."),
    AlertKind.TRAIL_BROKEN: msg("A check of the audit trail found something wrong, first at seal {seal}: {finding}."),
    AlertKind.STREAM_DOWN: msg("The audit trail’s target {target} takes nothing since {since} (UTC): {failure}."),
    AlertKind.NOTICES_UNDELIVERED: msg("Notices do not reach {target}: {failure}."),
    AlertKind.NOT_WELL: msg("Clients meet what is wrong at {url}: {found}."),
}
REMEDIES = {
    AlertKind.FIRST_DESTRUCTIVE_USE: "If nobody meant it, revoke the grant, and look at the tool calls of this app.",
    AlertKind.MANY_CALLS: "Look at the tool calls: by whom, through which app, and whether somebody knows why.",
    AlertKind.MANY_REFUSALS: "Look at the tool calls that were refused; suspend the app if it probes what is closed.",
    AlertKind.RECEIPTS_LOST: "Look at the log of that MCP server’s guard: its queue was full or could not be sent.",
    AlertKind.FAILED_SIGN_INS_OF_ACCOUNT: "Ask the person. Guessing is slowed down; a long password is safe from it.",
    AlertKind.FAILED_SIGN_INS_OF_SOURCE: "Guessing is slowed down. If it goes on, block that address in front.",
    AlertKind.FAILED_SIGN_INS_OF_MANY: "Look at the failed sign-ins in the audit trail: it has each.",
    AlertKind.FAILED_SIGN_INS_OVERALL: "Look at the failed sign-ins in the audit trail for whom they have in common.",
    AlertKind.TOKEN_REUSED: "Ask the person whether they copied the app’s data, or run it twice; if not, revoke the "
    "grant and look at where its refreshes came from.",
    AlertKind.SIGN_IN_COPIED: "Ask the person whether they copied or put back a browser’s files; if not, somebody was "
    "at their computer: look at where their sessions were opened from, and let them choose a new password.",
    AlertKind.NEW_NETWORK: "Nothing, if the person travels or changed their provider; otherwise revoke the grant.",
    AlertKind.MANY_NEW_NETWORKS: "Revoke the grant, unless the app is known to run in a cloud or behind a VPN: "
    "the audit trail has where each refresh came from.",
    AlertKind.TRAIL_UNSEALED: "Look at the server’s log for why. After a restore: 'authserver audit resume'. Without "
    "keys: 'authserver init'.",
    AlertKind.TRAIL_BROKEN: "Run 'authserver audit verify', and find out who can write to the database.",
    AlertKind.STREAM_DOWN: "Mend the target: it then gets all that it lacks. Retention waits for it meanwhile.",
    AlertKind.NOTICES_UNDELIVERED: "Look at 'authserver notices list', mend it, and try 'authserver notices test'.",
    AlertKind.NOT_WELL: "Run 'authserver doctor' with that URL: it says of each fault what to do.",
}


def told(line: AlertListing, quoted: Callable[[str], str]) -> str:
    """What *line* says. *quoted* makes what others chose fit for the reader."""
    return sentence(line.kind).format_map(Facts({name: quoted(text) for name, text in facts(line).items()}))


def sentence(kind: str) -> str:
    """The sentence of *kind*, with the names of facts in braces."""
    return SENTENCES[AlertKind(kind)] if kind in SENTENCES else UNKNOWN


def facts(line: AlertListing) -> dict[str, str]:
    """What there is to say in the sentence, by name: strangers' words too."""
    known = {**line.detail, "tool": line.tool or "–", "resource": line.resource or "–"}
    known["client"] = line.client_name or line.client_id or NAMELESS
    known["person"] = line.display_name or line.username or SOMEBODY
    return {name: _text(name, value) for name, value in known.items()}


def remedy(kind: str) -> str:
    """What to do about an alert of *kind*."""
    return REMEDIES[AlertKind(kind)] if kind in REMEDIES else "Look at it in the console."


class Facts(dict[str, str]):
    """Facts by name; what is not known is a dash."""

    def __missing__(self, name: str) -> str:
        """The dash."""
        return "–"


def _text(name: str, value: Any) -> str:  # noqa: ANN401 - of JSON
    if name == "since" and isinstance(value, int):
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M}"
    return "" if value is None else str(value)
