"""The form of a detail as a JSON Schema (2020-12), for clients that ask by type (RFC 9396 §10).

It says no more than a schema can: `reading` is stricter about paths, patterns and pointers.
"""

from typing import Any

from .reading import DIALECTS, FUNCTION, MOST_CHOICES, MOST_PATTERNS, MOST_RULES, MOST_TOOLS, TOOL, TYPE
from .rule import LARGEST

COUNT = {"type": "integer", "minimum": 0, "maximum": LARGEST}
BOUND = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
OPTIONAL = {"optional": {"type": "boolean", "default": False}}


def _texts(pattern: str = "", *, least: int = 1, most: int = MOST_CHOICES) -> dict[str, Any]:
    item = {"type": "string", "minLength": 1, **({"pattern": f"^{pattern}$"} if pattern else {})}
    return {"type": "array", "items": item, "minItems": least, "maxItems": most, "uniqueItems": True}


def _kind(needed: tuple[str, ...] = (), **members: object) -> dict[str, Any]:
    """An object with these members, and *needed* among them."""
    required = {"required": list(needed)} if needed else {"minProperties": 1}
    return {"type": "object", "properties": members, "additionalProperties": False, **required}


SCALAR = {"type": ["string", "integer", "boolean", "null"]}
SQL = _kind(("dialect",), dialect={"enum": list(DIALECTS)}, functions=_texts(FUNCTION.pattern, least=0))
TEXT = _kind(under=_texts(), ignore_case={"type": "boolean"}, matches=_texts(most=MOST_PATTERNS), max_length=COUNT)
KINDS = {
    "anything": {"type": "object", "maxProperties": 0},
    "values": _kind(("values",), values={"type": "array", "items": SCALAR, "minItems": 1, "maxItems": MOST_CHOICES}),
    "text": {**TEXT, "dependentRequired": {"ignore_case": ["under"]}},
    "number": _kind(minimum=BOUND, maximum=BOUND, integer={"type": "boolean"}),
    "array": _kind(items={"$ref": "#/$defs/item"}, max_items=COUNT),
    "sql": _kind(("sql",), sql=SQL),
}


def document() -> dict[str, Any]:
    """The schema of one element of ``authorization_details`` of this type."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "type": {"const": TYPE},
            "locations": _texts(most=1),
            "tools": _texts(TOOL.pattern, most=MOST_TOOLS),
            "limits": {
                "type": "object",
                "propertyNames": {"pattern": "^/"},
                "additionalProperties": {"$ref": "#/$defs/rule"},
                "maxProperties": MOST_RULES,
            },
            "additional": {"enum": ["deny", "allow"], "default": "deny"},
        },
        "required": ["type", "locations", "tools"],
        "dependentRequired": {"additional": ["limits"]},
        "additionalProperties": False,
        "$defs": {
            "item": {"oneOf": [KINDS[name] for name in ("anything", "values", "text", "number")]},
            "rule": {"oneOf": [_optional(kind) for kind in KINDS.values()]},
        },
    }


def _optional(kind: dict[str, Any]) -> dict[str, Any]:
    """*kind* as the rule of an argument, which may have ``optional`` besides."""
    if "maxProperties" in kind:
        return {"type": "object", "properties": OPTIONAL, "additionalProperties": False}
    members = kind["properties"]
    told = {"anyOf": [{"required": [name]} for name in members]}
    return {**kind, "properties": {**members, **OPTIONAL}, **told}
