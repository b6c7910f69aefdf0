"""The OpenAPI 3.1 document of the API, made from the declarations of its operations."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ... import __version__
from ...protocol import own_api
from ...protocol.metadata import base_path
from ...protocol.role import Permission
from .once import HEADER, KEY
from .operation import AnyOperation, Nothing

REFERENCE = "#/components/schemas/{model}"
PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "correlation_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "The cause, and what to do"},
        "correlation_id": {"type": "string", "description": "What the log knows it by"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}
WORDS = {
    400: "The parameters or the body are not right",
    401: "No access token, or one that does not open this API",
    403: "The token's scopes do not open this",
    404: "There is none of that id",
    405: "The path takes other methods",
    409: "It cannot be done as things are",
    412: "It has changed since it was seen",
    413: "The body is too large",
    422: "The `Idempotency-Key` came with another request",
    428: "The act wants `If-Match`",
    503: "Not now; try again",
}
ALWAYS = (400, 401, 403, 404, 405, 413, 503)
SCHEME = "machine"


def metadata_path(issuer: str) -> str:
    """Where the API's own metadata is (RFC 9728 §3.1)."""
    return f"/.well-known/oauth-protected-resource{base_path(issuer)}{own_api.PATH}"


def metadata_url(issuer: str) -> str:
    """The same as a URL."""
    return issuer.rstrip("/").removesuffix(base_path(issuer)) + metadata_path(issuer)


def metadata(issuer: str) -> dict[str, Any]:
    """The metadata of the API as a protected resource (RFC 9728 §2)."""
    return {
        "resource": own_api.identifier(issuer),
        "authorization_servers": [issuer],
        "scopes_supported": [own_api.scope_of(each) for each in Permission],
        "bearer_methods_supported": ["header"],
    }


def document(issuer: str, operations: Iterable[AnyOperation]) -> dict[str, Any]:
    """The document of the API of *issuer*."""
    operations = list(operations)
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {"title": "authserver: administration", "version": __version__},
        "servers": [{"url": own_api.identifier(issuer)}],
        "paths": paths,
        "components": {
            "schemas": {**_schemas(operations), "Problem": PROBLEM},
            "securitySchemes": {SCHEME: _scheme(issuer)},
        },
    }


def _schemas(operations: list[AnyOperation]) -> dict[str, Any]:
    answers = {each.answer: None for each in operations if each.answer}
    bodies = {each.body: None for each in operations if each.body is not Nothing}
    modes = [(model, "serialization") for model in answers] + [(model, "validation") for model in bodies]
    _, found = models_json_schema(modes, ref_template=REFERENCE)  # type: ignore[arg-type]
    schemas: dict[str, Any] = found.get("$defs", {})
    return schemas


def _scheme(issuer: str) -> dict[str, Any]:
    scopes = {own_api.scope_of(each): f"{each}" for each in Permission}
    flow = {"tokenUrl": issuer.rstrip("/") + "/token", "scopes": scopes}
    return {"type": "oauth2", "flows": {"clientCredentials": flow}}


def _operation(each: AnyOperation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": f"{each.method.lower()}{each.path.replace('/', '_')}",
        "summary": each.summary,
        "security": [{SCHEME: [own_api.scope_of(each.permission)]}],
        "parameters": [*_parameters(each.query), *_seen(each), *_once(each)],
        "responses": {**_success(each), **_problems(each)},
    }
    if each.also:
        found["description"] = " ".join(
            f"Takes `{own_api.scope_of(one)}` too {when}." for one, when in each.also.items()
        )
    if each.body is not Nothing:
        found["requestBody"] = {"required": True, "content": _content(each.body)}
    return found


def _parameters(query: type[BaseModel]) -> list[dict[str, Any]]:
    schema = query.model_json_schema()
    needed = schema.get("required", ())
    return [
        {
            "name": name,
            "in": "query",
            "required": name in needed,
            "description": said.pop("description", ""),
            "schema": said,
        }
        for name, said in schema.get("properties", {}).items()
    ]


def _seen(each: AnyOperation) -> list[dict[str, Any]]:
    if each.shows is None:
        return []
    said = "The `ETag` of what was seen; if it is otherwise now, nothing is done"
    return [
        {"name": "If-Match", "in": "header", "required": each.seen, "description": said, "schema": {"type": "string"}}
    ]


def _once(each: AnyOperation) -> list[dict[str, Any]]:
    if not each.once:
        return []
    said = "Repeated within a day, the same request does nothing more, and gets the same answer"
    schema = {"type": "string", "pattern": f"^{KEY.pattern}$"}
    return [{"name": HEADER, "in": "header", "required": False, "description": said, "schema": schema}]


def _success(each: AnyOperation) -> dict[str, Any]:
    if each.answer is None:
        return {"204": {"description": "Done"}}
    tag = {"ETag": {"schema": {"type": "string"}, "description": "Of the answer"}}
    found: dict[str, Any] = {"200": {"description": "The answer", "headers": tag, "content": _content(each.answer)}}
    return found if each.acts else {**found, "304": {"description": "Not changed since `If-None-Match`"}}


def _problems(each: AnyOperation) -> dict[str, Any]:
    statuses = {*ALWAYS, *each.problems}
    statuses |= {412} if each.shows else set()
    statuses |= {428} if each.seen else set()
    statuses |= {409, 422} if each.once else set()
    content = {"application/problem+json": {"schema": {"$ref": REFERENCE.format(model="Problem")}}}
    return {str(status): {"description": WORDS[status], "content": content} for status in sorted(statuses)}


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REFERENCE.format(model=_name(model))}}}


def _name(model: type[BaseModel]) -> str:
    return model.__name__
