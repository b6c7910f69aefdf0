"""What a message asks of: tools, prompts and resources by name, wherever a revision of MCP puts the name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

TOOLS, PROMPTS, RESOURCES = "tools", "prompts", "resources"

Thing = tuple[str, str]
"""The kind of a thing, and its name: of a resource, the URI."""

NAMED_BY: Mapping[str, str] = MappingProxyType({"tools/call": "name", "prompts/get": "name", "resources/read": "uri"})
"""Which member of ``params`` says what the method is about (MCP, Streamable HTTP, Standard Request Headers)."""


class Unnamed(ValueError):
    """The message does not say, in the protocol's form, what it is about."""


def things(method: str, params: Mapping[str, Any]) -> tuple[Thing, ...]:
    """What the request *method* asks of. Raises `Unnamed`."""
    read = _READ.get(method)
    return () if read is None else read(params)


def _tool(params: Mapping[str, Any]) -> tuple[Thing, ...]:
    return ((TOOLS, _text(params, "name", "params.name")),)


def _prompt(params: Mapping[str, Any]) -> tuple[Thing, ...]:
    return ((PROMPTS, _text(params, "name", "params.name")),)


def _resource(params: Mapping[str, Any]) -> tuple[Thing, ...]:
    return ((RESOURCES, _text(params, "uri", "params.uri")),)


def _completed(params: Mapping[str, Any]) -> tuple[Thing, ...]:
    """``completion/complete`` tells of the values of a prompt's or a resource template's arguments."""
    reference = params.get("ref")
    if isinstance(reference, dict) and reference.get("type") == "ref/prompt":
        return ((PROMPTS, _text(reference, "name", "params.ref.name")),)
    if isinstance(reference, dict) and reference.get("type") == "ref/resource":
        return ((RESOURCES, _text(reference, "uri", "params.ref.uri")),)
    raise Unnamed("params.ref of a known type")


def _listened(params: Mapping[str, Any]) -> tuple[Thing, ...]:
    """``subscriptions/listen`` (2026-07-28) names resources in its filter."""
    wanted = params.get("notifications", {})
    uris = wanted.get("resourceSubscriptions", []) if isinstance(wanted, dict) else None
    if not isinstance(uris, list) or not all(isinstance(uri, str) for uri in uris):
        raise Unnamed("strings in params.notifications.resourceSubscriptions")
    return tuple((RESOURCES, uri) for uri in uris)


def _text(holder: Mapping[str, Any], member: str, where: str) -> str:
    value = holder.get(member)
    if not isinstance(value, str):
        raise Unnamed(f"the string {where}")
    return value


_READ: Mapping[str, Callable[[Mapping[str, Any]], tuple[Thing, ...]]] = MappingProxyType(
    {
        "tools/call": _tool,
        "prompts/get": _prompt,
        "resources/read": _resource,
        # Until 2025-11-25.
        "resources/subscribe": _resource,
        "resources/unsubscribe": _resource,
        "completion/complete": _completed,
        "subscriptions/listen": _listened,
    }
)
