"""A client's way from an MCP server to its authorization server: 401, resource metadata, issuer (MCP, RFC 9728)."""

import re
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from ...outbound.probe import Answer
from ...protocol.msg import Filled, msg
from ...protocol.redirect_uri import LOOPBACK_HOSTS
from ...protocol.scope import OFFLINE_ACCESS
from .documents import opened, preflight_lack
from .outcome import Outcome, fail, ok, shown, warn
from .visit import WITH_ORIGIN, Visit, origin_of

WELL_KNOWN = "/.well-known/oauth-protected-resource"
IN_CHALLENGE = re.compile(r'resource_metadata="([^"]*)"')
MCP = (
    ("Content-Type", "application/json"),
    ("Accept", "application/json, text/event-stream"),
    ("MCP-Protocol-Version", "2025-11-25"),
    *WITH_ORIGIN,
)
INITIALIZE = (
    b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},'
    b'"clientInfo":{"name":"authserver doctor","version":"1"}}}'
)
GUARD = msg("Put mcp-token-guard, or what does the same, in front of the MCP server (docs/guard.md).")

GUARD_AND = "{} {}"
ELSEWHERE = msg("the 401's WWW-Authenticate names {}, at another address")
NO_METADATA = msg("the 401's WWW-Authenticate has no resource_metadata")
PASS = msg("Have the proxy pass {} at the root of the host, with all below it, to the MCP server.")


class ServerVisit(Visit):
    """A visit to an MCP server."""

    def is_one(self) -> bool:
        """Whether it is an MCP server rather than an issuer: it asks for a token, or has resource metadata."""
        if self.unauthorized.status == 401:
            return True
        return any(answer.status == 200 and answer.json() for answer in self.documents.values())

    @cached_property
    def unauthorized(self) -> Answer:
        """The answer to a client's first message, without a token."""
        return self.ask("POST", self.url, MCP, INITIALIZE)

    @property
    def named(self) -> str:
        """Where the challenge says that the metadata is; empty if it says nothing."""
        challenges = [text for text in self.unauthorized.all("www-authenticate") if "bearer" in text.lower()]
        found = IN_CHALLENGE.search(" ".join(challenges))
        return found.group(1) if found else ""

    @cached_property
    def documents(self) -> dict[str, Answer]:
        """The answer at each address where clients look for the resource's metadata (DI-6)."""
        path = urlsplit(self.url).path.rstrip("/")
        urls = [self.origin + WELL_KNOWN + path, self.origin + WELL_KNOWN]
        if origin_of(self.named) == self.origin:
            urls.insert(0, self.named)
        return {url: self.ask("GET", url, WITH_ORIGIN) for url in dict.fromkeys(urls)}

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """The first document that can be read; empty if there is none."""
        readable = (answer.json() for answer in self.documents.values() if answer.status == 200)
        return next((found for found in readable if found), {})

    @property
    def issuer(self) -> str:
        """The first authorization server that may be visited; empty if there is none."""
        servers = self.metadata.get("authorization_servers")
        listed = servers if isinstance(servers, list) else []
        return next((url for url in listed if isinstance(url, str) and may_follow(self.url, url)), "")


def may_follow(url: str, issuer: str) -> bool:
    """Whether *issuer*, named by the server at *url*, is asked: by https, or on this machine if the server is too."""
    try:
        here, there = urlsplit(url), urlsplit(issuer)
    except ValueError:
        return False
    if there.scheme == "https":
        return bool(there.hostname)
    return there.scheme == "http" and {here.hostname, there.hostname} <= LOOPBACK_HOSTS


def certificate(visit: ServerVisit) -> Outcome | None:
    """The MCP server's own certificate is trusted and is for its host."""
    if not visit.secure or not visit.unauthorized.status:
        return None
    if not visit.certificate_problem:
        return ok(msg("the MCP server's TLS certificate is good"))
    return fail(
        Filled(msg("the MCP server's TLS certificate is not good: {}"), shown(visit.certificate_problem)),
        msg("Clients refuse to connect."),
        msg("Install a certificate of a public authority for this very host name; --ca-file names one of your own."),
    )


def challenge(visit: ServerVisit) -> Outcome | None:
    """A message without a token is answered with 401 and where the metadata is (RFC 9728 §5.1)."""
    answer = visit.unauthorized
    if not answer.status:
        remedy = msg("See that it runs, and that the proxy in front of it passes requests on.")
        what = Filled(msg("the MCP server does not answer: {}"), answer.problem)
        return fail(what, msg("No client can connect."), remedy)
    if answer.status != 401:
        return fail(
            Filled(msg("a message without a token is answered with status {}, not 401"), answer.status),
            msg("It is open to everyone, or clients never learn that they must sign in."),
            GUARD,
        )
    if visit.named and origin_of(visit.named) == visit.origin:
        return ok(msg("a message without a token gets 401, and is told where to look"))
    return fail(
        Filled(ELSEWHERE, shown(visit.named)) if visit.named else NO_METADATA,
        msg("Clients do not find the authorization server. (The doctor goes to no other address.)"),
        Filled(GUARD_AND, Filled(GUARD), Filled(msg("The proxy must let WWW-Authenticate through."))),
    )


def resource_metadata(visit: ServerVisit) -> Outcome | None:
    """The metadata is where clients look: named by the challenge, at the path-suffixed address, and at the root."""
    wrong = {url: answer for url, answer in visit.documents.items() if answer.status != 200 or answer.json() is None}
    if not wrong:
        return ok(Filled(msg("resource metadata is at all {} addresses where clients look"), len(visit.documents)))
    listed = "; ".join(f"{shown(url)} ({answer.status or answer.problem})" for url, answer in wrong.items())
    return fail(
        Filled(msg("no resource metadata (JSON) at {}"), listed),
        msg("Clients differ in where they look."),
        Filled(PASS, WELL_KNOWN),
    )


def same_resource(visit: ServerVisit) -> Outcome | None:
    """``resource`` is the URL that the client was given (RFC 9728 §3.3)."""
    if not visit.metadata:
        return None
    resource = visit.metadata.get("resource")
    if resource == visit.url:
        return ok(msg("the metadata is about this very URL"))
    return fail(
        Filled(msg("the metadata is about {}, not {}"), shown(resource), shown(visit.url)),
        msg("VS Code and MCP Inspector refuse it: the URL that people enter must be this one, to the letter."),
        msg("Give the guard the public URL of the MCP endpoint, and give people the same."),
    )


def small_scopes(visit: ServerVisit) -> Outcome | None:
    """``scopes_supported`` has no ``offline_access``, which is none of the server's business."""
    if not visit.metadata:
        return None
    scopes = visit.metadata.get("scopes_supported")
    if not isinstance(scopes, list) or OFFLINE_ACCESS not in scopes:
        return ok(msg("the MCP server asks for its own scopes only"))
    return warn(
        Filled(msg("the resource metadata lists {}"), OFFLINE_ACCESS),
        msg("Clients that copy the list ask people for lasting access though they may not need it."),
        msg("Leave it to the authorization server's metadata."),
    )


def cors(visit: ServerVisit) -> Outcome | None:
    """Clients in browsers can read the metadata and the challenge, and may send their headers (DI-7, RS-4)."""
    closed = [shown(url) for url, answer in visit.documents.items() if answer.status == 200 and not opened(answer)]
    answer = visit.unauthorized
    exposed = {name.strip().lower() for name in answer.header("access-control-expose-headers").split(",")}
    if answer.status and not (opened(answer) and "www-authenticate" in exposed):
        closed.append("the 401 (Access-Control-Allow-Origin, Access-Control-Expose-Headers: WWW-Authenticate)")
    if answer.status and (lack := preflight_lack(visit.preflight(visit.url, "POST"))):
        closed.append(f"OPTIONS {shown(visit.url)} ({lack})")
    if not closed:
        return ok(msg("clients in browsers can find their way (CORS)")) if answer.status else None
    return fail(
        Filled(msg("clients in browsers are kept out: {}"), "; ".join(closed)),
        msg("MCP Inspector and other clients that run in a browser cannot connect."),
        Filled(GUARD_AND, Filled(GUARD), Filled(msg("OPTIONS must be answered without a token."))),
    )


def authorization_server(visit: ServerVisit) -> Outcome | None:
    """The metadata names an authorization server that can be visited."""
    if not visit.metadata:
        return None
    if visit.issuer:
        return ok(Filled(msg("the authorization server is {}"), shown(visit.issuer)))
    return fail(
        Filled(msg("authorization_servers is {}"), shown(visit.metadata.get("authorization_servers"))),
        msg("Clients do not know where to sign in; they go to https addresses only (and http on this machine)."),
        msg("Give the guard the issuer's public https URL."),
    )
