"""The endpoints of the back channel: from a parsed request to a service and back."""

from collections.abc import Callable
from functools import partial

from ...protocol import metadata, own_api
from ...protocol.errors import InvalidClient, OAuthError
from ...protocol.registration.mode import RegistrationMode
from ...services.deployment import Deployment
from ...services.monitoring.readiness import OK, Readiness
from ...services.tool_catalogue.publication import MOST_FORM
from .. import seen
from ..api import api, openapi
from ..metrics import PATH, Text, by_token
from . import response, status
from .application import Backchannel, Handler, Route
from .documents import Jwks, Metadata
from .request import Request
from .response import Document, Response

REGISTRATION = "/register/"
DETAILS_TYPES = Document.of(metadata.details_types())
MOST_RECEIPTS = 1024 * 1024  # bytes of a form with a batch of receipts


def backchannel(deployment: Deployment, readiness: Readiness, metrics: Text) -> Backchannel:
    """All routes of *deployment*; paths are without the issuer's base path, except the well-knowns at the root.

    *readiness* tells whether this process can serve, *metrics* how all of the node do.
    """
    found = Metadata(deployment.settings, deployment.stores.resources, tuple(deployment.token.grants))
    discovered = _discover(deployment, found)
    documents = dict.fromkeys(metadata.well_known_paths(deployment.settings.issuer), Route({"GET": discovered}))
    lists = status.Status(deployment.status_lists)
    issuer, administration = deployment.settings.issuer, api(deployment)
    failing = partial(_counted, deployment)
    of_api = Document.of(openapi.metadata(issuer))
    routes = {
        **documents,
        openapi.metadata_path(issuer): Route({"GET": of_api.answer}),
        "/jwks": Route({"GET": Jwks(deployment.keyring)}),
        status.LISTS: Route({"GET": lists.all}),
        "/token": Route({"POST": _token(deployment)}),
        "/revoke": Route({"POST": failing(_revoke(deployment))}),
        "/introspect": Route({"POST": failing(_introspect(deployment))}, cors=False),
        "/tool-permission": Route({"POST": failing(_consume(deployment))}, cors=False),
        "/tool-challenge": Route({"POST": failing(_challenge(deployment))}, cors=False),
        "/authorization-details-types": Route({"GET": _types}),
        "/tool-manifest": Route({"POST": failing(_publish(deployment))}, cors=False),
        "/tool-receipts": Route({"POST": failing(_tool_receipts(deployment))}, cors=False),
        "/health/live": Route({"GET": lambda request: response.document({"status": "live"})}, cors=False),
        "/health/ready": Route({"GET": _health("ready", readiness.parts)}, cors=False),
        "/health/serving": Route({"GET": _health("serving", readiness.own_parts)}, cors=False),
    }
    if token := deployment.settings.token_of_metrics:
        routes[PATH] = Route({"GET": by_token(token, metrics)}, cors=False)
    if deployment.settings.registration is not RegistrationMode.CLOSED:
        routes["/register"] = Route({"POST": _register(deployment)})
    prefixes = {REGISTRATION: Route(_manage(deployment)), status.PREFIX: Route({"GET": lists.one})}
    return Backchannel(routes, {**prefixes, own_api.PATH + "/": administration})


def _discover(deployment: Deployment, found: Metadata) -> Handler:
    def discover(request: Request) -> Response:
        deployment.tracing.metadata_read(request.origin)
        return found(request)

    return discover


def _counted(deployment: Deployment, handler: Handler) -> Handler:
    """*handler*, with a ceiling on the callers who do not prove who they are, by address."""

    def counted(request: Request) -> Response:
        try:
            return handler(request)
        except InvalidClient:
            deployment.call_ceilings.failures.count(request.origin)
            raise

    return counted


def _token(deployment: Deployment) -> Handler:
    grants = dict.fromkeys(deployment.token.grants)

    def token(request: Request) -> Response:
        form = request.form()
        asked = form.get("grant_type")
        seen.of(request.environ).grant = str(asked) if asked in grants else "other"
        return response.document(deployment.token.answer(form, request.header("Authorization"), request.origin))

    return token


def _revoke(deployment: Deployment) -> Handler:
    def revoke(request: Request) -> Response:
        deployment.revocation.revoke(request.form(), request.header("Authorization"), request.origin)
        return Response(200, list(response.NO_STORE))

    return revoke


def _introspect(deployment: Deployment) -> Handler:
    def introspect(request: Request) -> Response:
        return response.document(deployment.introspection.introspect(request.form(), request.header("Authorization")))

    return introspect


def _consume(deployment: Deployment) -> Handler:
    def consume(request: Request) -> Response:
        service = deployment.tool_permissions
        return response.document(service.consume(request.form(), request.header("Authorization"), request.origin))

    return consume


def _challenge(deployment: Deployment) -> Handler:
    def challenge(request: Request) -> Response:
        service = deployment.tool_permissions
        return response.document(service.challenge(request.form(), request.header("Authorization"), request.origin))

    return challenge


def _types(request: Request) -> Response:
    return DETAILS_TYPES.answer(request)


def _publish(deployment: Deployment) -> Handler:
    def publish(request: Request) -> Response:
        form = request.form(MOST_FORM)
        return response.document(deployment.publication.publish(form, request.header("Authorization"), request.origin))

    return publish


def _tool_receipts(deployment: Deployment) -> Handler:
    def receive(request: Request) -> Response:
        form = request.form(MOST_RECEIPTS)
        return response.document(
            deployment.tool_receipts.receive(form, request.header("Authorization"), request.origin)
        )

    return receive


def _register(deployment: Deployment) -> Handler:
    def register(request: Request) -> Response:
        try:
            found = deployment.registration.register(request.json(), request.origin, request.bearer())
        except OAuthError as refused:
            deployment.tracing.not_registered(refused, request.origin)
            raise
        deployment.tracing.registered(found, request.origin)
        return response.document(found, 201)

    return register


def _manage(deployment: Deployment) -> dict[str, Handler]:
    service = deployment.registration

    def read(request: Request) -> Response:
        return response.document(service.read(_client_id(request), request.bearer()))

    def update(request: Request) -> Response:
        return response.document(service.update(_client_id(request), request.bearer(), request.json(), request.origin))

    def remove(request: Request) -> Response:
        service.remove(_client_id(request), request.bearer(), request.origin)
        return Response(204, list(response.NO_STORE))

    return {"GET": read, "PUT": update, "DELETE": remove}


def _client_id(request: Request) -> str:
    return request.path.removeprefix(REGISTRATION)


def _health(word: str, look: Callable[[], dict[str, str]]) -> Handler:
    def answer(request: Request) -> Response:
        parts = look()
        well = all(state == OK for state in parts.values())
        return response.document({"status": word if well else f"not {word}", **parts}, 200 if well else 503)

    return answer
