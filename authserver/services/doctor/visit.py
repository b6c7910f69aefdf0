"""One visit to an issuer: each question asked once, the answers kept for all checks."""

from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from ...outbound.probe import Answer, Probe
from ...protocol.metadata import well_known_paths

A_PAGE_ELSEWHERE = "https://inspector.example"
WITH_ORIGIN = (("Origin", A_PAGE_ELSEWHERE),)
ALLOWED_HEADERS = (
    "Authorization", "Content-Type", "DPoP", "MCP-Protocol-Version", "Mcp-Session-Id", "Mcp-Method", "Mcp-Name",
    "Mcp-Param-Path", "Last-Event-ID",
)  # fmt: skip


def origin_of(url: str) -> str:
    """Scheme, host and port of *url*; empty if it is no URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}"


class Visit:
    """All that is asked of the deployment at *url*. A certificate that is not good is noted, and the visit goes on."""

    def __init__(self, url: str, probe: Probe) -> None:
        self.url = url
        self.certificate_problem = ""
        self._probe = probe

    @property
    def origin(self) -> str:
        """Scheme, host and port of the deployment."""
        return origin_of(self.url)

    @property
    def secure(self) -> bool:
        """Whether it is reached by https."""
        return self.url.startswith("https://")

    def ask(self, method: str, url: str, headers: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> Answer:
        """One request."""
        answer = self._probe.ask(method, url, headers, body)
        if answer.untrusted:
            self.certificate_problem = answer.problem
            self._probe = self._probe.distrusting()
            answer = self._probe.ask(method, url, headers, body)
        return answer

    def post_form(self, url: str) -> Answer:
        """A form with nothing of use in it."""
        form = (("Content-Type", "application/x-www-form-urlencoded"), *WITH_ORIGIN)
        return self.ask("POST", url, form, b"doctor=1")

    def preflight(self, url: str, method: str) -> Answer:
        """What a browser asks before a script of another site may call (DI-7)."""
        names = ", ".join(ALLOWED_HEADERS)
        asked = (("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", names))
        return self.ask("OPTIONS", url, (*WITH_ORIGIN, *asked))


class IssuerVisit(Visit):
    """A visit to an authorization server; *resource* is the MCP server that led here, if one did."""

    def __init__(self, url: str, probe: Probe, resource: str = "") -> None:
        super().__init__(url, probe)
        self.resource = resource

    @cached_property
    def documents(self) -> dict[str, Answer]:
        """The answer at each address where clients look for the metadata (DI-1, DI-2)."""
        urls = [self.origin + path for path in well_known_paths(self.url)]
        return {url: self.ask("GET", url, WITH_ORIGIN) for url in urls}

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """The first document that can be read; empty if there is none."""
        readable = (answer.json() for answer in self.documents.values() if answer.status == 200)
        return next((found for found in readable if found), {})

    def endpoint(self, name: str) -> str | None:
        """The URL of an endpoint of the metadata, if it is one of this origin: nothing else is asked."""
        url = self.metadata.get(name)
        return url if isinstance(url, str) and url.startswith(self.origin + "/") else None

    def listed(self, name: str) -> list[str]:
        """A list of the metadata; empty if it is none."""
        found = self.metadata.get(name)
        return [text for text in found if isinstance(text, str)] if isinstance(found, list) else []

    @cached_property
    def jwks(self) -> Answer | None:
        """The key set."""
        url = self.endpoint("jwks_uri")
        return self.ask("GET", url, WITH_ORIGIN) if url else None

    @cached_property
    def unknown_client_page(self) -> Answer | None:
        """What a person sees whose client is not known."""
        url = self.endpoint("authorization_endpoint")
        query = "?response_type=code&client_id=doctor-unknown-client&state=doctor"
        return self.ask("GET", url + query, WITH_ORIGIN) if url else None

    @cached_property
    def sign_in_page(self) -> Answer:
        """The page where people sign in, as this server has it; another server may have it elsewhere."""
        return self.ask("GET", self.url.rstrip("/") + "/sign-in", WITH_ORIGIN)

    @cached_property
    def refused_registration(self) -> Answer | None:
        """The answer to a registration that nobody may take: it has no redirect URI, so nothing is created."""
        url = self.endpoint("registration_endpoint")
        headers = (("Content-Type", "application/json"), *WITH_ORIGIN)
        return self.ask("POST", url, headers, b'{"redirect_uris": []}') if url else None
