"""The metadata documents: there at every address, the same issuer, readable by browsers and caches (DI-1…3, DI-7)."""

from ...outbound.probe import Answer
from .outcome import Outcome, fail, ok, shown, warn
from .visit import ALLOWED_HEADERS, IssuerVisit

CALLED_BY_SCRIPTS = ("token_endpoint", "registration_endpoint", "revocation_endpoint")


def well_known(visit: IssuerVisit) -> Outcome | None:
    """Every address where clients look has the metadata."""
    missing = {url: answer for url, answer in visit.documents.items() if answer.status != 200}
    if not missing:
        return ok(f"the metadata is at all {len(visit.documents)} addresses where clients look")
    listed = "; ".join(f"{shown(url)} {_said(answer)}" for url, answer in missing.items())
    return fail(
        f"no metadata at {listed}",
        "Clients differ in where they look first, and some look nowhere else. None follows a redirect to another host.",
        "Have the proxy pass /.well-known/ of the host's root, and of the issuer's path, to the authorization server.",
    )


def _said(answer: Answer) -> str:
    if not answer.status:
        return f"({answer.problem})"
    location = answer.header("location")
    return f"(status {answer.status}{', to ' + shown(location) if location else ''})"


def is_json(visit: IssuerVisit) -> Outcome | None:
    """The metadata is JSON, and says so."""
    found = {url: answer for url, answer in visit.documents.items() if answer.status == 200}
    for url, answer in found.items():
        if answer.json() is None:
            size = "" if answer.whole else ", or is larger than anyone needs"
            return fail(
                f"what {shown(url)} answers is no JSON object{size}",
                "Clients cannot read it.",
                "Something else answers there: see which server the proxy asks for this address.",
            )
        if answer.media_type != "application/json":
            return fail(
                f"{shown(url)} is of type {shown(answer.media_type or 'none')}, not application/json",
                "Some clients take it for a web page and give up.",
                "Let the server's own Content-Type through.",
            )
    return ok("the metadata is JSON and says so") if found else None


def same_issuer(visit: IssuerVisit) -> Outcome | None:
    """The documents name the issuer, byte for byte (RFC 8414 §3.3)."""
    documents = {url: answer.json() for url, answer in visit.documents.items() if answer.status == 200}
    found = {url: document for url, document in documents.items() if document is not None}
    for url, document in found.items():
        if document.get("issuer") != visit.url:
            return fail(
                f"{shown(url)} says that the issuer is {shown(document.get('issuer'))}, not {shown(visit.url)}",
                "Clients compare byte for byte, and refuse another.",
                "Set AUTHSERVER_ISSUER to the public URL as clients see it, or ask the doctor about that one.",
            )
    return ok("the metadata names this very issuer") if found else None


def cached(visit: IssuerVisit) -> Outcome | None:
    """Caches can ask whether the metadata has changed (RFC 9110 §13.1)."""
    url, answer = next(((u, a) for u, a in visit.documents.items() if a.status == 200), (None, None))
    if url is None or answer is None:
        return None
    tag = answer.header("etag")
    if tag and visit.ask("GET", url, (("If-None-Match", tag),)).status == 304:
        return ok("unchanged metadata is not sent again (ETag)")
    return warn(
        "the metadata has no ETag that works",
        "Every client fetches it whole every time.",
        "Let ETag and If-None-Match through the proxy.",
    )


def cors(visit: IssuerVisit) -> Outcome | None:
    """Scripts of any site may read the documents and call the endpoints, with the headers of MCP clients (DI-7)."""
    answers = {url: answer for url, answer in visit.documents.items() if answer.status == 200}
    if not answers:
        return None
    if visit.jwks is not None and visit.jwks.status == 200:
        answers[visit.jwks.url] = visit.jwks
    closed = [f"{shown(url)} (Access-Control-Allow-Origin)" for url, answer in answers.items() if not opened(answer)]
    asked = [(url, "GET") for url in answers]
    asked += [(url, "POST") for url in filter(None, map(visit.endpoint, CALLED_BY_SCRIPTS))]
    for url, method in asked:
        if lack := preflight_lack(visit.preflight(url, method)):
            closed.append(f"OPTIONS {shown(url)} ({lack})")
    if not closed:
        return ok("clients in browsers may read the documents and call the endpoints (CORS)")
    return fail(
        f"clients in browsers are kept out: {'; '.join(closed)}",
        "MCP Inspector and other clients that run in a browser cannot connect.",
        "Let OPTIONS and the server's own Access-Control headers through the proxy, and let it add none of its own.",
    )


def opened(answer: Answer) -> bool:
    """Whether a script of any site may read *answer*."""
    return answer.all("access-control-allow-origin") == ["*"]


def preflight_lack(answer: Answer) -> str:
    """What is missing from the answer to a preflight; empty if nothing is."""
    if not 200 <= answer.status < 300:
        return f"status {answer.status}" if answer.status else answer.problem
    if not opened(answer):
        return "Access-Control-Allow-Origin"
    allowed = {name.strip().lower() for name in answer.header("access-control-allow-headers").split(",")}
    lacking = [name for name in ALLOWED_HEADERS if name.lower() not in allowed]
    return f"Access-Control-Allow-Headers lacks {', '.join(lacking)}" if lacking else ""
