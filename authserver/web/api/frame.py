"""The frame around every operation of the API: token, permission, parameters, ``If-Match``, answer, problems."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property, partial
from urllib.parse import parse_qsl

import structlog
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest

from ...protocol import own_api, strict_json
from ...protocol.errors import OAuthError
from ...protocol.resource import identified
from ...protocol.role import Permission
from ...services.deployment import Deployment
from ...store.failures import UNAVAILABLE
from .. import seen
from ..backchannel import response
from ..backchannel.request import Request
from ..backchannel.response import NO_STORE, Headers, Response
from ..seen import SLOW_DOWN
from . import openapi, problem
from .bearer import refused
from .once import once
from .operation import Answer, AnyOperation, Call, Caller, Nothing
from .problem import CHANGED, SAY_WHAT_WAS_SEEN, Problem

MOST_PARAMETERS = 20
DOCUMENT = own_api.PATH + "/openapi.json"
log = structlog.get_logger(__name__)


class Api:
    """All *operations*, for one deployment."""

    def __init__(self, deployment: Deployment, operations: Iterable[AnyOperation]) -> None:
        self._deployment = deployment
        self._paths: dict[str, dict[str, AnyOperation]] = {}
        for each in operations:
            self._paths.setdefault(own_api.PATH + each.path, {})[each.method] = each

    def operations(self) -> list[AnyOperation]:
        """All of them."""
        return [each for methods in self._paths.values() for each in methods.values()]

    def respond(self, request: Request) -> Response:
        """The answer, whatever happens: problems in words, their reasons in the log only."""
        try:
            return self._answer(request)
        except Problem as found:
            return self._told(found, request)
        except (OAuthError, BadRequest) as found:
            status = found.status_code if isinstance(found, OAuthError) else 400
            return self._told(Problem(status or 400, str(found.description), headers=_later(found)), request)
        except UNAVAILABLE:
            again = Problem(503, "the database is not available; try again", headers=[("Retry-After", "1")])
            return self._told(again, request)
        except Exception:
            log.exception("request failed", path=request.path, correlation_id=request.origin.correlation_id)
            return self._told(Problem(500, "something went wrong here; it was logged"), request)

    def _told(self, found: Problem, request: Request) -> Response:
        seen.of(request.environ).error = SLOW_DOWN if found.status == 429 else f"http_{found.status}"
        return problem.answer(found, request.origin.correlation_id)

    def _answer(self, request: Request) -> Response:
        if not self._enabled():
            raise Problem(404, "the API is not enabled here: 'authserver api enable' does that")
        if request.path == DOCUMENT and request.method in {"GET", "HEAD"}:
            return self._document.answer(request)
        caller = self._caller(request)
        operation = self._operation(request)
        if operation.permission not in caller.permissions:
            raise self._refused(403, "insufficient_scope", operation.permission)
        call = Call(self._deployment, caller, request.origin, _query(request, operation), _body(request, operation))
        act = partial(_acted, request, operation, call)
        return _written(request, once(request, operation, call, act) if operation.once else act())

    @cached_property
    def _document(self) -> response.Document:
        return response.Document.of(openapi.document(self._deployment.settings.issuer, self.operations()))

    def _enabled(self) -> bool:
        return identified(self._deployment.stores.resources.all(), self._identifier) is not None

    def _caller(self, request: Request) -> Caller:
        token = request.bearer()
        found = self._deployment.introspection.machine(token) if token else None
        ceilings = self._deployment.call_ceilings
        if found is None:
            ceilings.failures.count(request.origin)
            raise self._refused(401, "invalid_token" if token else None)
        ceilings.api.count(found.client_id)
        return Caller(found.client_id, own_api.permissions(found.scopes))

    def _operation(self, request: Request) -> AnyOperation:
        methods = self._paths.get(request.path)
        if methods is None:
            raise Problem(404, f"there is nothing at this path: {DOCUMENT} tells what there is")
        found = methods.get("GET" if request.method == "HEAD" else request.method)
        if found is None:
            raise Problem(405, f"this path takes {' or '.join(methods)}", headers=[("Allow", ", ".join(methods))])
        return found

    def _refused(self, status: int, error: str | None, permission: Permission | None = None) -> Problem:
        return refused(self._deployment.settings.issuer, status, error, permission)

    @property
    def _identifier(self) -> str:
        return own_api.identifier(self._deployment.settings.issuer)


def _later(found: OAuthError | BadRequest) -> Headers:
    after = found.retry_after if isinstance(found, OAuthError) else None
    return [] if after is None else [("Retry-After", str(after))]


def _query(request: Request, operation: AnyOperation) -> BaseModel:
    try:
        pairs = parse_qsl(
            str(request.environ.get("QUERY_STRING", "")),
            keep_blank_values=True,
            max_num_fields=MOST_PARAMETERS,
            errors="strict",
        )
    except ValueError:
        raise Problem(400, "the query is not one that can be read") from None
    given = dict(pairs)
    if len(given) != len(pairs):
        raise Problem(400, "a parameter comes twice")
    try:
        found: BaseModel = operation.query.model_validate_strings(given)
    except ValidationError as wrong:
        raise problem.invalid("query", wrong) from None
    return found


def _body(request: Request, operation: AnyOperation) -> BaseModel:
    if operation.body is Nothing:
        return Nothing()
    try:
        found: BaseModel = operation.body.model_validate(strict_json.exact(request.json(operation.most)), strict=False)
    except ValidationError as wrong:
        raise problem.invalid("body", wrong) from None
    except ValueError:
        raise Problem(400, "the body is not JSON that can be read") from None
    return found


def _acted(request: Request, operation: AnyOperation, call: Call[BaseModel, BaseModel]) -> Answer | None:
    """What comes of it, if what the caller says it has seen is what there is (RFC 9110 §13.1.1, RFC 6585 §3)."""
    seen = request.header("If-Match")
    if operation.seen and (seen is None or "*" in seen):
        raise Problem(428, SAY_WHAT_WAS_SEEN)
    if seen is None or operation.find is None or operation.shows is None:
        return operation.run(call)
    found = operation.find(call)
    if found is None or not response.names(seen, _tag(_bytes(operation.shows(found)))):
        raise Problem(412, CHANGED)
    return operation.run(replace(call, seen=found))


def _written(request: Request, found: Answer | None) -> Response:
    if found is None:
        return Response(204, list(NO_STORE))
    body = _bytes(found)
    headers = [("ETag", _tag(body)), ("Cache-Control", "private, no-cache")]
    if response.has(request, _tag(body)) and request.method in {"GET", "HEAD"}:
        return Response(304, headers)
    return Response(200, [("Content-Type", "application/json"), *headers], body)


def _bytes(found: Answer) -> bytes:
    return json.dumps(found.model_dump(mode="json")).encode()


def _tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'
