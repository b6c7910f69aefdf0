"""Problems with the app itself: what became of it, which one it may be, and how to reset that very one (CR-15)."""

from dataclasses import replace

from flask import request

from ..protocol import redirect_uri
from ..protocol.errors import (
    Absence,
    ApprovalPending,
    ClientRefused,
    DocumentRefused,
    OAuthError,
    RedirectHostNotAllowed,
    ToldToPeople,
    UnknownClient,
    UnregisteredRedirect,
)
from ..protocol.msg import msg
from ..protocol.registry.known import KnownClient, registry
from ..protocol.strangers import plain
from .languages import translated
from .problem import Problem

LONGEST_SENTENCE = 600
BY_ABSENCE = {
    Absence.NEVER_REGISTERED: Problem(
        msg("This app is not registered here"),
        msg(
            "The app that sent you here goes by a registration that this server does not have. Perhaps the server was "
            "set up anew since the app registered, or the app means another server. Nothing was shared with the app."
        ),
    ),
    Absence.DELETED: Problem(
        msg("This app’s registration was deleted"),
        msg(
            "The app that sent you here goes by a registration that this server no longer has: nobody used it for "
            "long, or an administrator deleted it. Nothing was shared with the app."
        ),
    ),
    Absence.SUSPENDED: Problem(
        msg("This app was stopped here"),
        msg("An administrator of this server has stopped this app, so it gets nothing for now."),
        (msg("Ask an administrator why, and give them the reference below."),),
    ),
}
WRONG_ADDRESS = Problem(
    msg("The app asked for an address that it did not register"),
    msg(
        "The app wants you to be sent to an address that is not one of those that it registered. For your safety you "
        "were not sent there, and nothing was shared."
    ),
    (msg("If you did not start this yourself a moment ago, close this page."),),
)
ELSEWHERE = Problem(
    msg("This server does not send people there"),
    msg(
        "The app wants you to be sent to a website or app that this server’s administrator does not allow. You were "
        "not sent there, and nothing was shared."
    ),
    (msg("Ask the administrator of this server whether the app may be used, and give them the reference below."),),
)
UNWANTED = Problem(msg("This app is not wanted here"), "", (msg("Ask an administrator why."),))
UNREADABLE = Problem(
    msg("The app’s description cannot be had"),
    "",
    (
        msg("Try again in a few minutes: the site that has the description may be down."),
        msg("If it goes on, give an administrator the reference below: they can pin the description here by hand."),
    ),
)

NAMELESS = msg("An app without a name")
WAITING = Problem(
    msg("This app has to be approved first"),
    msg(
        "“{}” has registered here, but nobody can use it before an administrator of this server approves it. Nothing "
        "was shared with the app."
    ),
    (
        msg("Ask an administrator to approve it. Tell them its name, “{}”, and its client id: {}"),
        msg("When they have approved it, go back to the app and connect again."),
    ),
)


def of(error: OAuthError) -> Problem | None:
    """The problem that *error* is for whoever was sent here by an app; None if it is of another kind."""
    found: Problem | None = None
    match error:
        case UnknownClient(absence=Absence.SUSPENDED):
            found = replace(BY_ABSENCE[error.absence], name=error.name)
        case UnknownClient():
            found = replace(BY_ABSENCE[error.absence], resets=_likely())
        case UnregisteredRedirect():
            found = replace(WRONG_ADDRESS, name=error.name, address=_address(), resets=_likely(error.name))
        case RedirectHostNotAllowed():
            found = replace(ELSEWHERE, address=_address())
        case ApprovalPending():
            found = waits(error)
        case ClientRefused():
            found = replace(UNWANTED, happened=_sentence(error))
        case DocumentRefused():
            found = replace(UNREADABLE, happened=_sentence(error), resets=_likely())
    return found


def waits(error: ApprovalPending) -> Problem:
    """What a person reads whose app waits for an administrator, and what to tell them."""
    name = plain(error.name) or translated(NAMELESS)
    told = translated(WAITING.remedy[0]).format(name, error.client_id)
    return replace(WAITING, happened=translated(WAITING.happened).format(name), remedy=(told, *WAITING.remedy[1:]))


def _sentence(error: ToldToPeople) -> str:
    values = map(translated, error.values)  # addresses are none of our words, reasons are
    return plain(translated(error.words).format(*values), LONGEST_SENTENCE)


def _likely(name: str = "") -> tuple[KnownClient, ...]:
    asked = request.args
    return registry().likely(asked.get("client_id", ""), asked.get("redirect_uri", ""), name)


def _address() -> str:
    try:
        return redirect_uri.host(request.args.get("redirect_uri", ""))
    except ValueError:
        return ""
