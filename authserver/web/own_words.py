"""What happened with a person's account, in words for that person."""

from ..protocol.audit import Event
from ..protocol.msg import msg

WORDS = {
    "user.added": msg("Your account was made"),
    "user.role_changed": msg("You were given another role"),
    "user.disabled": msg("You were locked out, and all that was yours ended"),
    "user.enabled": msg("You were let in again"),
    "user.joined": msg("You were put into a group"),
    "group.joined": msg("You were put into a group"),
    "group.left": msg("You were taken out of a group"),
    "password.rehashed": msg("Your password is kept in a stronger form"),
    "password.changed": msg("Your password was changed"),
    "password.forgotten": msg("Somebody said that your password is forgotten"),
    "user.password_changed": msg("Your password was changed"),
    "user.password_reset": msg("A new password was set by a link"),
    "user.password_reset_mailed": msg("A link for a new password was mailed to you"),
    "user.password_reset_offered": msg("An administrator made a link for a new password"),
    "user.email_changed": msg("Your e-mail address was changed"),
    "user.email_confirmation_mailed": msg("A link was mailed to confirm your address"),
    "factor.added": msg("You added a second factor"),
    "factor.used": msg("Your second factor was used"),
    "factor.removed": msg("A second factor was removed"),
    "factors.removed": msg("An administrator removed your second factors"),
    "recovery_codes.made": msg("You made recovery codes"),
    "recovery_code.used": msg("A recovery code was used"),
    "identity.linked": msg("An identity provider was linked to your account"),
    "identity.unlinked": msg("An identity provider was unlinked from your account"),
    "sign_in.half_done": msg("Somebody gave your password; the second factor was still to come"),
    "sign_in.succeeded": msg("Somebody gave your password, rightly"),
    "sign_in.failed": msg("Somebody gave a wrong password for you"),
    "session.opened": msg("You signed in"),
    "session.confirmed": msg("You proved once more that it is you"),
    "session.ended": msg("You signed out"),
    "sessions.ended": msg("You were signed out everywhere"),
    "grant.approved": msg("You let an app in"),
    "grant.denied": msg("You did not let an app in"),
    "grant.narrowed": msg("You took something away from an app"),
    "grant.revoked": msg("A connection was ended"),
    "grants.revoked": msg("Many connections were ended"),
    "code.redeemed": msg("An app got its first tokens"),
    "code.replayed": msg("A code was used twice: its tokens were ended"),
    "token.refreshed": msg("An app got new tokens"),
    "token.reused": msg("A token was used twice: its connection was ended"),
    "token.revoked": msg("An app gave its tokens back"),
    "family.revoked": msg("Tokens of an app were ended"),
    "tool_permission.asked": msg("An app asked for a tool"),
    "tool_permission.used": msg("An app used what you allowed for a single call"),
    "policy.refused": msg("A rule of this server refused an app something"),
    "approval.asked": msg("You asked an administrator"),
    "approval.approved": msg("An administrator allowed what you asked for"),
    "approval.denied": msg("An administrator did not allow what you asked for"),
    "approval.expired": msg("What you asked an administrator for waited too long"),
    "approval.withdrawn": msg("An administrator took back what was allowed"),
    "alert.raised": msg("Something looked unusual"),
}


def happened(event: Event) -> str:
    """What *event* is to the person whom it is about; its name where there are no words yet."""
    return WORDS.get(event.name, event.name)
