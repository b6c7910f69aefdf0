"""The endpoints that programs call: they answer, and refuse as they should. Nothing is created."""

import re

from ...outbound.probe import Answer
from .outcome import Outcome, fail, ok, shown, warn
from .visit import IssuerVisit

PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})  # RFC 7518 §6
TAKING_FORMS = ("token_endpoint", "revocation_endpoint", "introspection_endpoint")
ERROR = re.compile(r"[a-z_]{1,64}")
PROXY = "See whether the proxy passes this address, and this method, to the authorization server."


def keys(visit: IssuerVisit) -> Outcome | None:
    """Public keys only, for ES256 and RS256, each with its name (DI-5)."""
    answer = visit.jwks
    if answer is None:
        return None
    found = (answer.json() or {}).get("keys") if answer.status == 200 else None
    listed = [key for key in found if isinstance(key, dict)] if isinstance(found, list) else []
    if not listed:
        return fail(f"no keys at {shown(answer.url)} ({_said(answer)})", "No token can be checked.", PROXY)
    if any(PRIVATE_MEMBERS & key.keys() for key in listed):
        return fail(
            "the key set has a private key in it",
            "Anyone can make tokens.",
            "Take the server off the network, find out what serves that document, and run 'authserver keys rotate'.",
        )
    algorithms = [key.get("alg") for key in listed if key.get("kid")]  # of any type, perhaps one without a hash
    if lacking := [name for name in ("ES256", "RS256") if name not in algorithms]:
        return warn(
            f"no key with a name (kid) for {', '.join(lacking)}",
            "Libraries that know no other algorithm cannot check tokens (RFC 9068 section 2.1).",
            "Run 'authserver init', which makes the keys that are missing.",
        )
    return ok(f"{len(listed)} public keys are published, ES256 and RS256 among them")


def token_by_post_only(visit: IssuerVisit) -> Outcome | None:
    """The token endpoint refuses GET: secrets would stand in addresses and logs (OAuth 2.1 §3.2)."""
    url = visit.endpoint("token_endpoint")
    if url is None:
        return None
    answer = visit.ask("GET", f"{url}?grant_type=doctor")
    if answer.status in (400, 401, 405):
        return ok("the token endpoint takes POST only")
    return fail(
        f"GET at the token endpoint is not refused ({_said(answer)})",
        "Codes and secrets would end up in addresses and in logs; or something else answers there.",
        PROXY,
    )


def forms_answered(visit: IssuerVisit) -> Outcome | None:
    """Token, revocation and introspection answer a useless form with an OAuth error (RFC 6749 §5.2)."""
    urls = [url for url in map(visit.endpoint, TAKING_FORMS) if url]
    answers = [visit.post_form(url) for url in urls]
    wrong = [answer for answer in answers if not _is_refusal(answer)]
    if not wrong:
        return ok("the endpoints answer, with errors in OAuth's form") if urls else None
    listed = "; ".join(f"{shown(answer.url)} ({_said(answer)})" for answer in wrong)
    return fail(f"no OAuth error from {listed}", "Clients cannot tell what is wrong, and do not recover.", PROXY)


def registration(visit: IssuerVisit) -> Outcome | None:
    """Registration answers a registration that nobody may take with an error of RFC 7591 §3.2.2."""
    answer = visit.refused_registration
    if answer is None:
        return _no_registration(visit)
    if answer.status in (401, 403, 429) and _is_refusal(answer):
        return ok(f"clients may register under conditions (status {answer.status})")
    if answer.status == 400 and _is_refusal(answer):
        return ok("clients can register, and are told what is wrong if they cannot")
    if 200 <= answer.status < 300:
        why, what = (
            "It creates clients that can do nothing, or worse.",
            "a registration without a redirect URI is taken",
        )
    else:
        why, what = "Clients cannot register.", f"registration does not answer as RFC 7591 says ({_said(answer)})"
    return fail(what, why, PROXY)


def _no_registration(visit: IssuerVisit) -> Outcome | None:
    if not visit.metadata or visit.metadata.get("registration_endpoint"):
        return None  # one elsewhere is not gone to; another check tells
    if visit.metadata.get("client_id_metadata_document_supported") is True:
        return ok("clients come with a metadata document; registration is closed")
    return warn(
        "clients can neither register nor come with a metadata document",
        "Only clients that an administrator registered can connect.",
        "If that is not what you want, set registration to open, or switch metadata documents on.",
    )


def correlation_id(visit: IssuerVisit) -> Outcome | None:
    """An error carries an id that stands in the log too."""
    answer = visit.refused_registration
    if answer is None or not _is_refusal(answer):
        return None
    if answer.header("x-correlation-id") or answer.header("x-request-id"):
        return ok("errors carry an id that stands in the log")
    return warn(
        "errors carry no X-Correlation-Id",
        "Nobody finds in the log what a client met.",
        "Let the header through the proxy.",
    )


def _is_refusal(answer: Answer) -> bool:
    error = (answer.json() or {}).get("error")
    return 400 <= answer.status < 500 and isinstance(error, str) and bool(ERROR.fullmatch(error))


def _said(answer: Answer) -> str:
    return f"status {answer.status}, {shown(answer.media_type or 'no type')}" if answer.status else answer.problem
