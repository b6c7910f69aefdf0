"""How the deployment is reached: TLS, plain http, and whether it believes what a request says of its address."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from .outcome import Outcome, fail, ok, shown, warn
from .visit import IssuerVisit, Visit

FORGED = "doctor-forged.example"
FEW_DAYS = 14
REDIRECTS = frozenset({301, 302, 303, 307, 308})


def reachable(visit: IssuerVisit) -> Outcome | None:
    """Anything answers at all."""
    answers = visit.documents.values()
    if any(answer.status for answer in answers):
        return ok(f"something answers at {shown(visit.origin)}")
    problem = next(answer.problem for answer in answers)
    return fail(
        f"nothing to look at: {problem}",
        "No client can connect.",
        "See that the server runs ('authserver serve'), that the proxy in front of it passes requests on, and that "
        "this machine resolves the name.",
    )


def certificate(visit: IssuerVisit) -> Outcome | None:
    """The certificate is trusted, is for this host, and lasts."""
    if not visit.secure:
        return None
    answers = visit.documents.values()
    if visit.certificate_problem:
        return fail(
            f"the TLS certificate is not good: {shown(visit.certificate_problem)}",
            "Clients refuse to connect.",
            "Install a certificate of a public authority for this very host name, with its intermediate certificates; "
            "for an authority of your own, give the doctor its certificate with --ca-file.",
        )
    ends = next((answer.certificate_ends for answer in answers if answer.certificate_ends), None)
    if ends is None:
        return None
    days = (ends - datetime.now(UTC)).days
    if days >= FEW_DAYS:
        return ok(f"the TLS certificate is good for {days} days")
    return warn(
        f"the TLS certificate ends in {days} days",
        "Then clients refuse to connect.",
        "Renew it now, and see why it did not renew by itself.",
    )


def plain_http(visit: Visit) -> Outcome | None:
    """Plain http leads to https, or nowhere."""
    parts = urlsplit(visit.url)
    if not visit.secure or parts.port not in (None, 443):
        return None
    return judge_plain_http(visit, f"http://{parts.hostname}/")


def judge_plain_http(visit: Visit, url: str) -> Outcome:
    """What *url*, by plain http, does."""
    answer = visit.ask("GET", url)
    if not answer.status or answer.status >= 400:
        return ok("plain http is not served")
    location = answer.header("location")
    if answer.status in REDIRECTS and location.startswith("https://"):
        return ok("plain http leads to https")
    return fail(
        f"plain http is served: {shown(url)} answers {answer.status}",
        "Passwords and codes could cross the network readable.",
        "Have the proxy redirect http to https (or not listen on port 80).",
    )


def hsts(visit: IssuerVisit) -> Outcome | None:
    """Browsers are told to come by https only (RFC 6797)."""
    page = visit.unknown_client_page
    if not visit.secure or page is None or not page.status:
        return None
    if "max-age=" in page.header("strict-transport-security").lower():
        return ok("browsers are told to come by https only")
    return warn(
        "pages have no Strict-Transport-Security header",
        "A first visit by http can be intercepted.",
        "Let the server's own header through the proxy, or have the proxy set one.",
    )


def forged_host(visit: IssuerVisit) -> Outcome | None:
    """No header of a request changes what the server thinks its address is (DI-3)."""
    url = next((url for url, answer in visit.documents.items() if answer.status == 200), None)
    if url is None:
        return None
    forwarded = (("X-Forwarded-Host", FORGED), ("X-Forwarded-Server", FORGED), ("Forwarded", f"host={FORGED}"))
    for headers in (forwarded, (("Host", FORGED),)):
        answer = visit.ask("GET", url, headers)
        said = answer.body + answer.header("location").encode()
        if FORGED.encode() in said and answer.status < 400:
            return fail(
                f"the server believes the request's {headers[0][0]} header",
                "Who sends a forged one, or poisons a cache with it, decides where clients send their codes.",
                "Configure one issuer, and take host and scheme from that alone.",
            )
    return ok("the server's address does not follow what requests say")
