"""What happened with a person's account, in words for that person."""

from ..protocol.audit import Event

WORDS = {
    "user.added": "Your account was made",
    "user.role_changed": "You were given another role",
    "user.disabled": "You were locked out, and all that was yours ended",
    "user.enabled": "You were let in again",
    "user.joined": "You were put into a group",
    "group.joined": "You were put into a group",
    "group.left": "You were taken out of a group",
    "password.rehashed": "Your password is kept in a stronger form",
    "password.changed": "Your password was changed",
    "sign_in.succeeded": "Somebody gave your password, rightly",
    "sign_in.failed": "Somebody gave a wrong password for you",
    "session.opened": "You signed in",
    "session.confirmed": "You proved once more that it is you",
    "session.ended": "You signed out",
    "sessions.ended": "You were signed out everywhere",
    "grant.approved": "You let an app in",
    "grant.denied": "You did not let an app in",
    "grant.narrowed": "You took something away from an app",
    "grant.expired": "A connection ended when you had wanted it to",
    "grant.revoked": "A connection was ended",
    "grants.revoked": "Many connections were ended",
    "code.redeemed": "An app got its first tokens",
    "code.replayed": "A code was used twice: its tokens were ended",
    "token.refreshed": "An app got new tokens",
    "token.reused": "A token was used twice: its connection was ended",
    "token.revoked": "An app gave its tokens back",
    "policy.refused": "A rule of this server refused an app something",
    "approval.asked": "You asked an administrator",
    "approval.approved": "An administrator allowed what you asked for",
    "approval.denied": "An administrator did not allow what you asked for",
    "approval.withdrawn": "An administrator took back what was allowed",
    "alert.raised": "Something looked unusual",
}


def happened(event: Event) -> str:
    """What *event* is to the person whom it is about; its name where there are no words yet."""
    return WORDS.get(event.name, event.name)
