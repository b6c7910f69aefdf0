"""Metadata and JWKS, served as prepared bytes (design: the hot path is lean by construction)."""

from ...keys.keyring import Keyring
from ...protocol import metadata
from ...protocol.registration.mode import RegistrationMode
from ...protocol.resource import Resource
from ...settings import Settings
from ...store.resources import ResourceStore
from .request import Request
from .response import Document, Response, briefly

JWKS_SHARED_AGE = 1  # seconds: a key that was withdrawn in an emergency must be gone from caches as well


class Metadata:
    """The metadata document, made again only when a resource changes (DI-1…4)."""

    def __init__(self, settings: Settings, resources: ResourceStore, grant_types: tuple[str, ...]) -> None:
        """*grant_types* are those that the token endpoint has."""
        self._settings = settings
        self._resources = resources
        self._grant_types = grant_types
        self._made: tuple[tuple[Resource, ...], Document] | None = None

    def __call__(self, request: Request) -> Response:
        """Answer a request for it."""
        resources = self._resources.all()
        if self._made is None or self._made[0] is not resources:
            self._made = (resources, self._make(resources))
        return self._made[1].answer(request)

    def _make(self, resources: tuple[Resource, ...]) -> Document:
        found = metadata.document(
            self._settings.issuer,
            resources=resources,
            grant_types=self._grant_types,
            registration=self._settings.registration is not RegistrationMode.CLOSED,
            documents=self._settings.metadata_documents,
        )
        metadata.validate(found)
        return Document.of(found)


class Jwks:
    """The JWK Set, made again only when another set of keys is published (DI-5)."""

    def __init__(self, keyring: Keyring) -> None:
        """*keyring* has the keys."""
        self._keyring = keyring
        self._made: tuple[tuple[str, ...], Document] | None = None

    def __call__(self, request: Request) -> Response:
        """Answer a request for it."""
        kids = self._keyring.kids()
        if self._made is None or self._made[0] != kids:
            self._made = (kids, Document.of(self._keyring.jwks(), shared_age=JWKS_SHARED_AGE))
        return briefly(self._made[1].answer(request))
