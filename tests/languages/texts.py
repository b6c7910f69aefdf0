"""Which texts a template would show as they stand, past every translation, found in its syntax tree."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from jinja2 import Environment, nodes

TRANSLATORS = frozenset({"_", "gettext", "ngettext"})
NO_TEXT = frozenset({"url_for", "csrf_token", "get_locale", "may_open", "namespace", "range"})
"""Functions whose arguments nobody reads."""

CLASSES = frozenset({"width", "kind"})
"""Blocks that stand in a ``class``."""

SAME_EVERYWHERE = frozenset({"UTC", "ms", "MCP", "API", "JSON", "URL"})
NOT_READ = re.compile(r"<!--.*?-->|<(code|style|script|svg)\b.*?</\1>", re.DOTALL)
TAG = re.compile(r"<[^>]*>")
READ_ATTRIBUTE = re.compile(r'\b(?:aria-label|aria-description|placeholder|title|alt|data-label)="([^"]*)"')
WORD = re.compile(r"[^\W\d_]{2,}")
SENTENCE = re.compile(r"[A-Z]|\w \w")


@dataclass
class Found:
    """``stream``: what a template prints, with a gap for each value; ``literals``: words elsewhere in its code."""

    stream: list[str] = field(default_factory=list)
    literals: list[str] = field(default_factory=list)
    variables: list[int] = field(default_factory=list)
    """Lines where what is translated is no literal, which would be taken for HTML."""


def environment() -> Environment:
    """As the pages have it, as far as syntax goes."""
    made = Environment(autoescape=True, extensions=["jinja2.ext.i18n"])
    made.policies["ext.i18n.trimmed"] = True
    return made


def left_out(source: str) -> list[str]:
    """The texts of a template with *source* that people would read in English whatever their language."""
    found = _read(source)
    stream = NOT_READ.sub(" ", "".join(found.stream))
    shown = [*READ_ATTRIBUTE.findall(stream), *TAG.sub("\n", stream).split("\n")]
    return [text.strip() for text in (*shown, *found.literals) if _has_words(text)]


def translated_variables(source: str) -> list[int]:
    """The lines where ``_`` is given anything but a literal."""
    return _read(source).variables


def _has_words(text: str) -> bool:
    return any(word not in SAME_EVERYWHERE for word in WORD.findall(html.unescape(text)))


def _read(source: str) -> Found:
    found = Found()
    _walk(environment().parse(source), found)
    return found


def _walk(node: nodes.Node, found: Found) -> None:
    match node:
        case nodes.TemplateData():
            found.stream.append(node.data)
        case nodes.Block(name=name) if name in CLASSES:
            return
        case nodes.Output():
            for each in node.nodes:
                _walk(each, found) if isinstance(each, nodes.TemplateData) else _print(each, found)
        case nodes.Expr():
            found.literals.extend(_literals(node, found))
        case _:
            for child in node.iter_child_nodes():
                _walk(child, found)


def _print(node: nodes.Node, found: Found) -> None:
    """What *node* prints: its literals as they are, a gap for all else."""
    match node:
        case nodes.Const(value=str(text)):
            found.stream.append(text)
        case nodes.CondExpr():
            found.literals.extend(_literals(node.test, found))
            for branch in (node.expr1, node.expr2):
                if branch is not None:
                    _print(branch, found)
        case nodes.Or() | nodes.And() | nodes.Concat() | nodes.Add():
            for child in node.iter_child_nodes():
                _print(child, found)
        case nodes.Filter(node=nodes.Node() as inner):
            _print(inner, found)
        case _:
            found.stream.append("\u2026")
            found.literals.extend(_literals(node, found))


def _literals(node: nodes.Node, found: Found) -> Iterator[str]:
    """Literals in *node* that look like sentences, or names for people, and go through no translation."""
    match node:
        case nodes.Call(node=nodes.Name(name=name)) if name in TRANSLATORS:
            if not (node.args and isinstance(node.args[0], nodes.Const)):
                found.variables.append(node.lineno)
            for value in node.kwargs:
                yield from _literals(value.value, found)
        case nodes.Call(node=nodes.Name(name=name)) if name in NO_TEXT:
            return
        case nodes.Compare() | nodes.Test() | nodes.Getitem():
            return
        case nodes.Const(value=str(text)) if SENTENCE.search(text):
            yield text
        case _:
            for child in node.iter_child_nodes():
                yield from _literals(child, found)
