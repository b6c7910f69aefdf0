"""What each cause means, in plain words. Those that end an attempt are in `faults`."""

from .faults import FAILED
from .step import Cause, Verdict, Words

WENT_ON = {
    Cause.METADATA_READ: "The app read this server’s metadata.",
    Cause.REGISTERED: "The app registered.",
    Cause.ASKED: "The app asked for access, and its request was in order.",
    Cause.SIGNED_IN: "The person signed in.",
    Cause.ALLOWED: "The person allowed the app.",
    Cause.REMEMBERED: "The person had allowed this before, and was not asked again.",
    Cause.TOKEN_ISSUED: "The app exchanged its code, and got an access token.",
    Cause.POLICY_NARROWED: "Rules of policy left something out of the token; it works for the rest.",
    Cause.TOOL_CALLED: "The app called a tool with its token.",
}
WAITS: dict[Cause, Words] = {
    Cause.SIGN_IN_NEEDED: Words(
        Verdict.WAITS,
        "The app’s request was in order; the person was sent to sign in.",
        "If nothing follows, the person closed the sign-in page, or their browser keeps no cookies of this site.",
    ),
    Cause.CONSENT_SHOWN: Words(
        Verdict.WAITS,
        "The person was asked whether to allow the app.",
        "If nothing follows, they have not answered: start again from the app, and press Allow or Deny.",
    ),
    Cause.SIGN_IN_TOO_OLD: Words(
        Verdict.WAITS,
        "What is asked for can destroy, or a rule of policy wants it: the person was asked to sign in again.",
        "If nothing follows, they closed that page. If it is a rule, 'authserver policy explain' says which.",
    ),
    Cause.GRANT_PENDING: Words(
        Verdict.WAITS,
        "A rule of policy wants an administrator to allow this first; the person can ask one by a button.",
        "If they asked, decide: Policies in the console, or 'authserver policy waiting'. Then they connect again.",
    ),
}
WORDS: dict[Cause, Words] = {
    **{cause: Words(Verdict.OK, happened) for cause, happened in WENT_ON.items()},
    **WAITS,
    **FAILED,
}
BY_VALUE: dict[str, Words] = {cause.value: words for cause, words in WORDS.items()}
NEWER = Words(Verdict.FAILED, "A newer version of this server wrote this.", "Look at it with that version.")


def words_of(cause: str) -> Words:
    """What a *cause* that was kept means. Of one that a newer version wrote nothing is known."""
    return BY_VALUE.get(cause, NEWER)
