"""Which checks there are, and in which order they are told."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ...outbound.probe import Probe
from . import claims, documents, endpoints, mcp_server, pages, transport
from .mcp_server import ServerVisit
from .outcome import Check, Outcome, State, V
from .visit import IssuerVisit

FROM_OUTSIDE: dict[str, Check[IssuerVisit]] = {
    "reachable": transport.reachable,
    "certificate": transport.certificate,
    "well-known": documents.well_known,
    "json": documents.is_json,
    "issuer": documents.same_issuer,
    "forged-host": transport.forged_host,
    "endpoints": claims.endpoints_at_home,
    "cors": documents.cors,
    "public-clients": claims.public_clients,
}
"""What the background check of a server asks of its own public URL."""

OF_ISSUER: dict[str, Check[IssuerVisit]] = {
    **FROM_OUTSIDE,
    "plain-http": transport.plain_http,
    "hsts": transport.hsts,
    "caching": documents.cached,
    "keys": endpoints.keys,
    "pkce": claims.pkce_offered,
    "iss": claims.issuer_in_answers,
    "refresh": claims.refresh_offered,
    "resource": claims.knows_the_resource,
    "registration": endpoints.registration,
    "token-get": endpoints.token_by_post_only,
    "oauth-errors": endpoints.forms_answered,
    "unknown-client": pages.stranger_stays,
    "pages-cors": pages.no_scripts,
    "framing": pages.no_frames,
    "cookies": pages.cookies,
    "correlation-id": endpoints.correlation_id,
}

OF_SERVER: dict[str, Check[ServerVisit]] = {
    "challenge": mcp_server.challenge,
    "server-certificate": mcp_server.certificate,
    "resource-metadata": mcp_server.resource_metadata,
    "resource-url": mcp_server.same_resource,
    "resource-scopes": mcp_server.small_scopes,
    "server-cors": mcp_server.cors,
    "authorization-server": mcp_server.authorization_server,
}


def examine_issuer(
    url: str, probe: Probe, *, resource: str = "", checks: dict[str, Check[IssuerVisit]] = OF_ISSUER
) -> Iterator[Outcome]:
    """What each of *checks* finds at the issuer *url*; nothing more when nothing answers there."""
    visit = IssuerVisit(url, probe, resource)
    for outcome in told(visit, checks.items()):
        yield outcome
        if outcome.check == "reachable" and outcome.state is State.FAIL:
            return


def told(visit: V, checks: Iterable[tuple[str, Check[V]]]) -> Iterator[Outcome]:
    """The outcomes of *checks*, each under its name."""
    for name, check in checks:
        outcome = check(visit)
        if outcome is not None:
            yield replace(outcome, check=name)


def examine(url: str, probe: Probe) -> Iterator[Outcome]:
    """What is to be said of *url*, an issuer or an MCP server.

    From an MCP server the way goes on to its issuer, as a client's would.
    """
    server = ServerVisit(url, probe)
    if not server.is_one():
        yield from examine_issuer(url, probe)
        return
    yield from told(server, OF_SERVER.items())
    if server.issuer:
        yield from examine_issuer(server.issuer, probe, resource=server.url)
