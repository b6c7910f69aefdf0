"""What the endpoints tell of an attempt to connect, as records."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from ...protocol import redirect_uri
from ...protocol.audit import Origin
from ...protocol.errors import OAuthError
from ...protocol.form import Form
from ...protocol.msg import msg
from ...protocol.trace import diagnosis, harmless
from ...protocol.trace.record import Record
from ...protocol.trace.reference import References
from ...protocol.trace.step import Cause, Step
from .recorder import Recorder

MOST_QUERY, MOST_VALUE = 16_384, 2048  # characters that are looked at
REGISTRATION, WELL_KNOWN = "/register", "/.well-known/"
SPAN = 600  # seconds in which the same from the same source is one attempt, where nothing else tells


@dataclass(frozen=True, slots=True)
class Attempt:
    """An authorization request, well-formed or not: its reference, and the parameters that may be told of it."""

    reference: str
    asked: Mapping[str, str]

    @property
    def client_id(self) -> str | None:
        """The client that it names."""
        return self.asked.get("client_id")


TOLD = {
    Cause.REDIRECT_UNREGISTERED: "redirect_uri",
    Cause.REDIRECT_HOST_NOT_ALLOWED: "redirect_uri",
    Cause.RESOURCE_UNKNOWN: "resource",
    Cause.RESOURCE_MALFORMED: "resource",
    Cause.SCOPE_UNKNOWN: "scope",
    Cause.SCOPE_MALFORMED: "scope",
}
NAMES = frozenset({"client_id", "code_challenge", *TOLD.values()})


@dataclass(frozen=True, slots=True)
class Tracing:
    """Records steps. Each verb is cheap, waits for nothing, and raises nothing for what a stranger sent."""

    references: References
    recorder: Recorder

    def attempt(self, query: str, form: Form | None = None) -> Attempt:
        """The attempt whose authorization request has that *query*: the same at each of its pages (`References`).

        *form* is what the query says, where that has been read already.
        """
        pairs = _read(query) if form is None else [*form.single.items(), *(("resource", one) for one in form.resources)]
        asked = {name: value[:MOST_VALUE] for name, value in reversed(pairs) if name in NAMES}
        challenge = asked.pop("code_challenge", None)
        if challenge and "client_id" in asked:
            return Attempt(self.references.of_attempt(asked["client_id"], challenge), asked)
        digest = hashlib.sha256(query.encode("utf-8", "surrogatepass")).hexdigest()
        return Attempt(self.references.of("request", digest), asked)

    def step(self, attempt: Attempt, step: Step, cause: Cause, origin: Origin, *, user_id: str | None = None) -> None:
        """That *step* of *attempt* came to *cause*."""
        told = TOLD.get(cause)
        about = {told: attempt.asked[told]} if told and told in attempt.asked else {}
        self.recorder.take(
            Record(
                attempt.reference,
                step,
                cause,
                origin,
                client_id=attempt.client_id,
                user_id=user_id,
                resource=attempt.asked.get("resource"),
                about=about,
            )
        )

    def refused(
        self, attempt: Attempt, step: Step, error: OAuthError, origin: Origin, *, user_id: str | None = None
    ) -> None:
        """That *step* of *attempt* ended with *error*."""
        self.step(attempt, step, diagnosis.of_error(error, step), origin, user_id=user_id)

    def metadata_read(self, origin: Origin) -> None:
        """That somebody read the metadata."""
        reference = loose(self.references, "discovery", origin)
        self.recorder.take(Record(reference, Step.DISCOVERY, Cause.METADATA_READ, origin))

    def missing(self, path: str, origin: Origin) -> None:
        """That somebody looked for *path*, where clients look for something and this server has nothing."""
        if path == REGISTRATION:
            reference = loose(self.references, "registration", origin)
            self.recorder.take(Record(reference, Step.REGISTRATION, Cause.REGISTRATION_CLOSED, origin))
        elif path.startswith(WELL_KNOWN):
            reference = loose(self.references, "discovery", origin)
            about = {msg("path"): path}
            self.recorder.take(Record(reference, Step.DISCOVERY, Cause.DOCUMENT_MISSING, origin, about=about))

    def registered(self, answer: Mapping[str, Any], origin: Origin) -> None:
        """That a client registered, and got *answer* (RFC 7591 §3.2.1)."""
        client_id = answer["client_id"]
        hosts = sorted({redirect_uri.host(uri) for uri in answer["redirect_uris"]})
        about = {msg("name"): answer.get("client_name", ""), msg("redirects to"): " ".join(hosts)}
        reference = of_registration(self.references, client_id)
        self.recorder.take(
            Record(reference, Step.REGISTRATION, Cause.REGISTERED, origin, client_id=client_id, about=about)
        )

    def not_registered(self, error: OAuthError, origin: Origin) -> None:
        """That a registration was refused with *error*."""
        cause = diagnosis.of_error(error, Step.REGISTRATION)
        reference = loose(self.references, "registration", origin)
        self.recorder.take(
            Record(reference, Step.REGISTRATION, cause, origin, about={msg("said"): harmless.said(error)})
        )


def of_registration(references: References, client_id: str) -> str:
    """The reference of the registration of a client."""
    return references.of("registered", client_id)


def loose(references: References, what: str, origin: Origin, *parts: str) -> str:
    """That of *what* happened to the source of *origin* about now, where nothing tells to which attempt it belongs."""
    return references.of(what, origin.site, origin.agent, str(int(time.time()) // SPAN), *parts)


def _read(query: str) -> list[tuple[str, str]]:
    """The parameters of a *query* that may be anything."""
    try:
        return parse_qsl(query[:MOST_QUERY], errors="replace", max_num_fields=200)
    except ValueError:
        return []
