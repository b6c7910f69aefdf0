"""A known client's way up to the sign-in page, with what it was seen to send; a client that it registers is removed."""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from string import Template
from typing import Any
from urllib.parse import urlencode, urljoin

from ...outbound.probe import Answer, Probe
from ...protocol.registry import recordings
from ...protocol.scope import OFFLINE_ACCESS
from . import transport
from .mcp_server import ServerVisit
from .outcome import Outcome, State, argument, fail, ok, shown, warn
from .visit import IssuerVisit, origin_of

MOST_STEPS = 4
REDIRECTS = frozenset({302, 303, 307})
JSON = (("Content-Type", "application/json"),)


@dataclass(frozen=True, slots=True)
class Registered:
    """A client that the doctor registered: its id, and where and with what it is removed again."""

    client_id: str
    management: str
    token: str


class Dance:
    """Plays the recording *name* at an authorization server, for one MCP server and its scopes."""

    def __init__(self, name: str, visit: IssuerVisit, resource: str, scopes: list[str]) -> None:
        self._recording = recordings.recording(name)
        self._visit = visit
        self._scopes = scopes
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        self._values = {
            "resource": resource,
            "resource_origin": origin_of(resource),
            "state": secrets.token_urlsafe(16),
        }
        self._values |= {"code_verifier": verifier, "code_challenge": challenge}

    def play(self) -> Iterator[Outcome]:
        """What happens at each step."""
        document = self._recording.get("document")
        if document:
            yield self._authorize(document["client_id"])
            return
        url = self._visit.endpoint("registration_endpoint")
        if url is None:
            yield _no_registration()
            return
        answer = self._visit.ask("POST", url, JSON, json.dumps(self._register()).encode())
        client = self._registered(answer)
        if client is None:
            yield _not_registered(answer)
            return
        try:
            yield _at("register", ok(f"it registers (client id {shown(client.client_id)})"))
            yield self._authorize(client.client_id)
        finally:
            gone = self._remove(client)
        yield gone

    def _register(self) -> dict[str, Any]:
        body = dict(self._recording["register"])
        return {**body, "scope": self._scope(body["scope"])} if body.get("scope") else body

    def _registered(self, answer: Answer) -> Registered | None:
        found = answer.json() or {}
        client_id = found.get("client_id")
        if answer.status not in (200, 201) or not isinstance(client_id, str) or not client_id:
            return None
        management = found.get("registration_client_uri")
        at_home = isinstance(management, str) and management.startswith(self._visit.origin + "/")
        return Registered(
            client_id, str(management) if at_home else "", str(found.get("registration_access_token") or "")
        )

    def _authorize(self, client_id: str) -> Outcome:
        url = self._visit.endpoint("authorization_endpoint")
        if url is None:
            problem = "there is no authorization endpoint at the server's own address"
            return _at("authorize", fail(problem, "Nobody can sign in.", "Run authserver doctor without --client."))
        page = self._visit.ask("GET", f"{url}?{urlencode(self._parameters(client_id))}")
        for _ in range(MOST_STEPS):
            onwards = _onwards(page)
            if not onwards.startswith(self._visit.origin + "/"):
                break
            page = self._visit.ask("GET", onwards)
        return _at("authorize", _arrived(page))

    def _parameters(self, client_id: str) -> dict[str, str]:
        values = {**self._values, "client_id": client_id}
        recorded: dict[str, str] = self._recording["authorize"]
        filled = {name: Template(text).safe_substitute(values) for name, text in recorded.items()}
        if not values["resource"]:
            filled.pop("resource", None)
        if "scope" in filled:
            filled["scope"] = self._scope(filled["scope"])
        return {name: text for name, text in filled.items() if text}

    def _scope(self, recorded: str) -> str:
        """The scopes as this client would ask for them here."""
        asked = (self._scopes if name == recordings.SCOPE else [name] for name in recorded.split())
        return " ".join(dict.fromkeys(name for names in asked for name in names))

    def _remove(self, client: Registered) -> Outcome:
        bearer = (("Authorization", f"Bearer {client.token}"),)
        if not client.token:
            # An id that others may have got too (`share_identical_registrations`): theirs would go with it.
            return _at("remove", ok("the server gave no means to remove the client, which others may share: it stays"))
        removable = client.management and client.token.isascii() and client.token.isprintable()
        answer = self._visit.ask("DELETE", client.management, bearer) if removable else None
        if answer is not None and answer.status in (200, 204):
            return _at("remove", ok("the client that was registered for this is removed again"))
        problem = warn(
            f"the client {shown(client.client_id)} could not be removed",
            "It stays in the list of clients until it expires unused.",
            f"On the authorization server: authserver client remove {argument(client.client_id)}",
        )
        return _at("remove", problem)


def dance(name: str, url: str, probe: Probe) -> Iterator[Outcome]:
    """The way of the recorded client *name* from *url*, an MCP server or an issuer. Raises `LookupError`.

    Nothing is registered where the certificate is not good.
    """
    recordings.recording(name)
    server = ServerVisit(url, probe)
    from_server = server.is_one()
    if from_server and not server.issuer:
        problem = fail(
            "no authorization server is named", "It does not know where to sign in.", "authserver doctor URL"
        )
        yield _at("authorization-server", problem)
        return
    visit = IssuerVisit(server.issuer if from_server else url, probe)
    for check, look in (("reachable", transport.reachable), ("certificate", transport.certificate)):
        outcome = look(visit)
        if outcome is not None:
            yield _at(check, outcome)
            if outcome.state is State.FAIL:
                return
    yield from Dance(name, visit, _resource(server, visit), _scopes(server, visit)).play()


def _resource(server: ServerVisit, visit: IssuerVisit) -> str:
    return server.url if server.metadata else next(iter(visit.listed("protected_resources")), "")


def _scopes(server: ServerVisit, visit: IssuerVisit) -> list[str]:
    wanted = server.metadata.get("scopes_supported")
    listed = wanted if isinstance(wanted, list) else visit.listed("scopes_supported")
    return [name for name in listed if isinstance(name, str) and name != OFFLINE_ACCESS]


def _at(check: str, outcome: Outcome) -> Outcome:
    return replace(outcome, check=check)


def _onwards(page: Answer) -> str:
    """Where a redirect leads; empty if it is none."""
    try:
        return urljoin(page.url, page.header("location")) if page.status in REDIRECTS else ""
    except ValueError:
        return ""


def _no_registration() -> Outcome:
    problem = fail(
        "it would register, but the server offers no registration at its own address",
        "This client cannot connect, unless it has a metadata document or was registered beforehand.",
        "Open registration, or register it: authserver client add …",
    )
    return _at("register", problem)


def _not_registered(answer: Answer) -> Outcome:
    found = answer.json() or {}
    said = f"{shown(found.get('error', ''))}: {shown(found.get('error_description', ''))}" if found else "no JSON"
    problem = fail(
        f"it cannot register: status {answer.status} ({said})" if answer.status else f"no answer: {answer.problem}",
        "Most clients show no more than “Error” then.",
        "See what the registration policy of the server is, and what its log says.",
    )
    return _at("register", problem)


def _arrived(page: Answer) -> Outcome:
    if page.status == 200 and page.media_type == "text/html" and b'type="password"' in page.body:
        return ok("the person would sign in now")
    if page.status in REDIRECTS:
        return fail(
            f"the person is sent on to {shown(page.header('location'))}",
            "Nobody was asked to sign in; if it is the client, the address says what is wrong (error=…).",
            "See what the server's log says.",
        )
    said = page.header("x-correlation-id") or page.header("x-request-id")
    return fail(
        f"there is no sign-in form (status {page.status})" if page.status else f"no answer: {page.problem}",
        "The person sees an error, or signs in elsewhere.",
        "Open the server's log" + (f" and look for {shown(said)}." if said else "."),
    )
