"""What rules of policy refuse, as people read it: why, and what they can do."""

from dataclasses import dataclass

from ..protocol.errors import GrantPending, PolicyRefused
from ..protocol.msg import msg
from ..store.pending_grants import State

TOO_MANY = msg("So many of your requests wait for an administrator already that no further one is taken.")
ASKED = {
    State.WAITING: msg("An administrator has been asked. When they have allowed it, connect again from the app."),
    State.DENIED: msg("An administrator was asked for this of late, and did not allow it. Speak with them."),
}
THEN = msg("When they have allowed it, go back to the app and connect again.")
REFERENCE = msg("Ask an administrator of this server, and give them the reference below.")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A title, what happened, what the administrator says of it (or nothing), and what the person can do.

    ``can_ask``: the page has a button that asks an administrator. Opening it must not: any website could have them
    open it.
    """

    title: str
    happened: str
    says: str
    remedy: tuple[str, ...]
    can_ask: bool = False


def of(error: PolicyRefused | GrantPending) -> Refusal:
    """The page of *error*."""
    if isinstance(error, PolicyRefused):
        happened = msg("A rule of this server does not allow you to use this app for what it asks. Nothing was shared.")
        return Refusal(msg("This is not allowed here"), happened, error.says, (REFERENCE,))
    if error.asked is None:
        happened = msg("An administrator was asked for this, and did not allow it. Nothing was shared with the app.")
        return Refusal(msg("An administrator did not allow this"), happened, error.says, (REFERENCE,))
    if error.asked:
        happened = msg(
            "By a rule of this server it needs an administrator’s word. They have been asked; nothing was shared."
        )
        steps = (msg("Wait until they have allowed it, or speak with them."), THEN)
        return Refusal(msg("An administrator has to allow this first"), happened, error.says, steps)
    happened = msg("By a rule of this server it needs an administrator’s word. Nothing was shared with the app.")
    steps = (msg("If you want it, ask an administrator by the button below."), THEN)
    return Refusal(msg("An administrator has to allow this first"), happened, error.says, steps, can_ask=True)
