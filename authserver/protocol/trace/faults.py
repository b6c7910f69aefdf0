"""What ends an attempt, in plain words: what happened, and what helps."""

from .step import Cause, Verdict, Words

RESET = "In the app, remove the MCP server and add it again: it then registers anew."
APP = "That is a fault of the app: tell its maker, with this timeline."


def _failed(happened: str, remedy: str) -> Words:
    return Words(Verdict.FAILED, happened, remedy)


FAILED: dict[Cause, Words] = {
    Cause.NEVER_REGISTERED: _failed(
        "The app used a client id that was never registered here: it was made by another server, or before this "
        "one was set up anew.",
        RESET,
    ),
    Cause.DELETED: _failed(
        "The app still uses a registration that was deleted here, for want of use or by an administrator.",
        RESET,
    ),
    Cause.SUSPENDED: _failed(
        "An administrator has suspended this client.",
        "If it may be used again: 'authserver client resume CLIENT_ID', or Clients in the console.",
    ),
    Cause.APPROVAL_PENDING: _failed(
        "The app registered, and an administrator has not approved it yet.",
        "Approve it ('authserver client approve CLIENT_ID', or Clients in the console), then connect again.",
    ),
    Cause.DOMAIN_DENIED: _failed(
        "Policy does not allow apps whose metadata document is of this domain.",
        "If they may be used: 'authserver domain allow DOMAIN'.",
    ),
    Cause.DOCUMENT_UNREADABLE: _failed(
        "The app’s metadata document could not be fetched, or is not right; nobody can say who the app is.",
        "Open the client id’s URL yourself: it must answer 200 with JSON to servers too, not a page for browsers. If "
        "the site keeps this server out, pin the document: 'authserver document pin URL FILE'.",
    ),
    Cause.REDIRECT_UNREGISTERED: _failed(
        "The app’s redirect_uri is none that it registered. Only the port of a loopback address may differ.",
        f"{RESET} If it happens again, the app registers one address and uses another: tell its maker.",
    ),
    Cause.REDIRECT_NOT_SAID: _failed(
        "The app registered several redirect URIs, and did not say which one it means.",
        f"The authorization request must carry redirect_uri. {APP}",
    ),
    Cause.REDIRECT_HOST_NOT_ALLOWED: _failed(
        "This server’s settings do not let apps send people to that host.",
        "If it may be used, add the host to allowed_redirect_hosts in the settings.",
    ),
    Cause.REDIRECT_REFUSED: _failed(
        "The registration was refused for one of its redirect URIs: see what was said.",
        "Redirect URIs are https, http on 127.0.0.1, [::1] or localhost, or of a private scheme such as app://host/.",
    ),
    Cause.METADATA_REFUSED: _failed(
        "The registration was refused for what the app said of itself: see what was said.",
        APP,
    ),
    Cause.STATEMENT_REFUSED: _failed(
        "The software statement of the registration is not good here.",
        "Have its issuer make a new one, and see that the settings trust that issuer.",
    ),
    Cause.NOT_ADMITTED: _failed(
        "Registration needs an initial access token here, and the app had none that is good.",
        "Make one ('authserver registration-token add') and give it to the app, or register the client yourself "
        "('authserver client add').",
    ),
    Cause.REGISTRATION_CLOSED: _failed(
        "The app tried to register, and registration is closed here.",
        "Register it yourself ('authserver client add') and give the app its client id, or open registration.",
    ),
    Cause.DOCUMENT_MISSING: _failed(
        "The app looked here for a metadata document that this server does not have.",
        "Often harmless: apps look in several places. What protects an MCP server is told by that server, so the app "
        "has to be given the MCP server’s URL, not this one’s.",
    ),
    Cause.TOOL_REFUSED: _failed(
        "The app called a tool with its token, and the MCP server’s guard refused the call.",
        "See Tool calls in the console: mostly the tool needs a scope or permission that was not allowed.",
    ),
    Cause.PKCE_MISSING: _failed(
        "The app’s request has no code_challenge: it does not use PKCE, which OAuth 2.1 requires of every app.",
        "Update the app. If it is up to date, tell its maker.",
    ),
    Cause.PKCE_NOT_S256: _failed(
        "The app uses PKCE with a method other than S256.",
        "The request must say code_challenge_method=S256. Update the app, or tell its maker.",
    ),
    Cause.PKCE_MALFORMED: _failed(
        "The app’s code_challenge is not the base64url SHA-256 of a verifier.",
        APP,
    ),
    Cause.RESPONSE_TYPE: _failed(
        "The app asked for another response_type than code.", f"Only code is supported. {APP}"
    ),
    Cause.RESPONSE_MODE: _failed(
        "The app asked for another response_mode than query.", f"Only query is supported. {APP}"
    ),
    Cause.REQUEST_OBJECT: _failed("The app sent a request object, which is not supported here.", APP),
    Cause.GRANT_NOT_REGISTERED: _failed(
        "The client did not register the grant type that it uses.",
        f"{RESET} For a client that you registered, 'authserver client add' it again with that grant.",
    ),
    Cause.SCOPE_MALFORMED: _failed("The scope parameter is not a list of scopes with spaces between.", APP),
    Cause.SCOPE_UNKNOWN: _failed(
        "None of the scopes that the app asked for exists at this MCP server.",
        "See which scopes it offers ('authserver resource list'), and that the MCP server’s challenge names these. "
        "Delete scopes that were typed into the app.",
    ),
    Cause.RESOURCE_UNKNOWN: _failed(
        "The app asked for an MCP server (resource) that is not registered here under that address.",
        "Compare with 'authserver resource list'. Register it ('authserver resource add'), or add the address as an "
        "alias: scheme, host and path have to be those that clients use.",
    ),
    Cause.RESOURCE_MISSING: _failed(
        "The app did not say which MCP server (resource) it wants, and there are several here.",
        "Make one of them the default ('authserver resource add --make-default'), or update the app: MCP clients must "
        "send resource.",
    ),
    Cause.RESOURCE_MALFORMED: _failed(
        "The resource parameter is not the URL of one MCP server.",
        APP,
    ),
    Cause.TOOLS_REFUSED: _failed(
        "The app’s authorization_details ask for tools in a way that this MCP server does not offer.",
        "Have the catalogue read again ('authserver resource sync'); if it is right, tell the app’s maker.",
    ),
    Cause.LOGIN_REQUIRED: _failed(
        "The app asked without a page (prompt=none), and nobody was signed in.",
        "Connect again from the app, so that it shows the sign-in page.",
    ),
    Cause.CONSENT_REQUIRED: _failed(
        "The app asked without a page (prompt=none), and the person has something to decide.",
        "Connect again from the app, so that it shows the page.",
    ),
    Cause.WRONG_PASSWORD: _failed(
        "User name and password did not go together.",
        "Try again, with care for the user name and for capitals.",
    ),
    Cause.WRONG_FACTOR: _failed(
        "The second factor did not fit: the code was wrong, too old or used before, or the passkey was another one.",
        "Try again with the newest code of the app, or use a recovery code.",
    ),
    Cause.SIGN_IN_TOO_WEAK: _failed(
        "The MCP server wants a stronger sign-in (acr_values) than this person has a factor for.",
        "Have them add a passkey on their page of second factors, then connect again.",
    ),
    Cause.SIGN_IN_DELAYED: _failed(
        "There were too many failed sign-ins, so none is judged for a while; not even the right password opens.",
        "Wait as long as the page says, then sign in once with the right password.",
    ),
    Cause.SIGN_IN_BUSY: _failed(
        "Too many people were signing in at that moment.",
        "Try again in a few seconds. If it goes on, raise password_hash_slots or add workers.",
    ),
    Cause.UPSTREAM_FAILED: _failed(
        "The sign-in with an identity provider came to nothing: it did not answer, said no, or its answer was wrong.",
        "The log says what it was, under this reference. Check the provider, and [[upstream]] in the settings.",
    ),
    Cause.UPSTREAM_REFUSED: _failed(
        "The person signed in with an identity provider, and that opens no account here.",
        "The page told them why: no account, a claim that the settings require, or an account that is not linked.",
    ),
    Cause.DENIED: _failed(
        "The person pressed Deny.", "If that was a mistake, start again from the app and press Allow."
    ),
    Cause.POLICY_REFUSED: _failed(
        "A rule of policy does not allow this person, or this client for itself, what was asked for.",
        "The event policy.refused in the audit trail names the rule; 'authserver policy explain' says why it counts.",
    ),
    Cause.NOTHING_CHOSEN: _failed(
        "The person pressed Allow with nothing ticked.",
        "Tick what the app may do, then press Allow.",
    ),
    Cause.NOT_CHOSEN: _failed(
        "What was ticked did not fit together, or left out the tool that the app had asked for.",
        "Start again from the app, and allow what it asks for, or deny.",
    ),
    Cause.OUT_OF_DATE: _failed(
        "The page was out of date when its button was pressed, so nothing was done.",
        "Decide on the page that was shown then. If it goes on, allow cookies for this site.",
    ),
    Cause.PKCE_MISMATCH: _failed(
        "The app’s code_verifier does not answer the code_challenge that it began with. For safety the code was ended.",
        "Start again from the app, in one window only: two attempts at once mix up their verifiers. If it happens "
        "every time, tell the app’s maker.",
    ),
    Cause.VERIFIER_MALFORMED: _failed(
        "The app exchanged its code without a proper code_verifier.",
        f"A verifier has 43 to 128 of the characters A-Z a-z 0-9 - . _ ~. {APP}",
    ),
    Cause.CODE_UNKNOWN: _failed(
        "The app presented a code that this server did not issue, or issued more than a day ago.",
        "See that the app’s token requests go to this very server, and start again from the app.",
    ),
    Cause.CODE_EXPIRED: _failed(
        "The app exchanged its code too late: it had expired.",
        "Start again from the app, and let it finish at once. If it is slow every time, see that its machine is "
        "awake, or raise authorization_code_lifetime.",
    ),
    Cause.CODE_USED: _failed(
        "The app exchanged the same code a second time, within seconds.",
        "Often harmless: the first exchange may have answered too late. If the app is not connected, start again.",
    ),
    Cause.CODE_REPLAYED: _failed(
        "A code that had been exchanged came again later. That can be theft, so what it gave was revoked.",
        "Start again from the app. If nobody retried by hand, find out who else can read its redirects.",
    ),
    Cause.CODE_OF_ANOTHER: _failed(
        "The app presented a code that was issued to another client.",
        f"{RESET} Two copies of the app with different registrations may share a redirect address.",
    ),
    Cause.REDIRECT_MISMATCH: _failed(
        "The app’s token request names another redirect_uri than its authorization request. The code was ended.",
        f"Both must be equal to the letter, port included. {APP}",
    ),
    Cause.RESOURCE_MISMATCH: _failed(
        "The app asked for a token for another MCP server (resource) than the one that was allowed.",
        "Connect to that server anew from the app: every MCP server is allowed by itself.",
    ),
    Cause.GRANT_ENDED: _failed(
        "The code had been ended: the grant was revoked, person or client may not act any more, or an earlier "
        "exchange of it was wrong.",
        "Start again from the app. If it happens again, see the audit trail of this client and person.",
    ),
    Cause.CLIENT_UNKNOWN: _failed(
        "The app uses a client id that is not, or not any more, registered here.",
        f"{RESET} Some apps do so by themselves, others keep the old id for ever.",
    ),
    Cause.CLIENT_STOPPED: _failed(
        "The client is suspended, or waits for an administrator.",
        "Resume or approve it: Clients in the console, or 'authserver client'.",
    ),
    Cause.CLIENT_NOT_PROVEN: _failed(
        "The client did not prove who it is: its secret or assertion is missing or wrong, or it sent one though it "
        "registered none.",
        "Enter the secret in the app anew ('authserver client rotate-secret CLIENT_ID' makes one), or reset its "
        "connection. With private_key_jwt see that its keys can be fetched and its clock is right.",
    ),
    Cause.GRANT_TYPE: _failed("The app asked for tokens by a grant type that this server does not offer.", APP),
    Cause.SCOPE_NOT_HELD: _failed(
        "The app asked for scopes that are not, or not any more, among those that the person allowed.",
        "Connect again from the app, and allow what it needs.",
    ),
    Cause.TOKEN_TOO_LARGE: _failed(
        "So many single tools are allowed that no token can name them.",
        "Connect again from the app, and allow fewer tools by themselves.",
    ),
    Cause.REFRESH_UNKNOWN: _failed(
        "The app presented a refresh token that this server does not know.",
        "Connect again from the app. See that it did not mix up two servers.",
    ),
    Cause.REFRESH_EXPIRED: _failed(
        "The refresh token had expired: the app was not used for long.",
        "Connect again from the app. For a longer time raise refresh_token_lifetime.",
    ),
    Cause.REFRESH_ENDED: _failed(
        "What the refresh token stands on has ended: by its greatest age, or revoked by a person or after a reuse.",
        "Connect again from the app. The audit trail says who ended it.",
    ),
    Cause.REFRESH_REUSED: _failed(
        "A refresh token that had been replaced came again. That can be theft, so its family was revoked.",
        "Connect again from the app. If it has several processes or copies, they must share the newest token.",
    ),
    Cause.REFRESH_TOO_LATE: _failed(
        "The app repeated a refresh whose answer had been used already by another of its processes.",
        "Nothing is lost: the app has the newer token. If it shows an error, restart it.",
    ),
    Cause.REFRESH_OF_ANOTHER: _failed(
        "The refresh token was issued to another client: the app registered anew and kept the old token.",
        "Connect again from the app, so that it gets a token of its own.",
    ),
    Cause.MALFORMED: _failed("The request could not be read: see what was said.", APP),
    Cause.TOO_MANY: _failed(
        "There were more requests from this address than are allowed.",
        "Wait a minute. If many people share the address, raise the limit in the settings.",
    ),
    Cause.NOT_AVAILABLE: _failed(
        "The server was too busy, or its database did not answer.",
        "Try again. If it goes on, look at the log and at the database.",
    ),
    Cause.SERVER_FAULT: _failed(
        "Something went wrong in this server.",
        "Look into the log under this reference, and report what it says.",
    ),
    Cause.REFUSED: _failed("The request was refused: see what was said.", "Start again from the app."),
}
