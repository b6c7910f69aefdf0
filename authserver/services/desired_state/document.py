"""YAML reduced to what JSON can say, with the line of every value: no anchors, no tags, no key twice."""

import math
from dataclasses import dataclass, field
from typing import Any

import yaml

from ...protocol.flaw import Flaw, Place
from ...protocol.msg import Filled, msg

MOST_BYTES = 1_048_576
LINE, NOT_YAML, TAGGED = msg("line {}: {}"), msg("not YAML: {}"), msg("the tag {} is not taken here")
TAG = "tag:yaml.org,2002:"
AS_WRITTEN = frozenset({TAG + "str", TAG + "timestamp"})
SCALARS = frozenset({TAG + name for name in ("int", "float", "bool", "null")})


class Unreadable(ValueError):
    """The file is no such document; ``flaws`` are `Flaw` and line (1 is the first, 0: none in particular).

    ``told`` has each of them in words.
    """

    def __init__(self, *flaws: tuple[Flaw, int]) -> None:
        self.told = tuple(Filled(LINE, line, str(flaw)) if line else str(flaw) for flaw, line in flaws)
        super().__init__("\n".join(self.told))


@dataclass(frozen=True, slots=True)
class Document:
    """``content`` as JSON would have it, and the line of each place in it."""

    content: Any
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, where: Place) -> int:
        """The line of *where*, or of the nearest place around it that is there."""
        while where not in self.lines and where:
            where = where[:-1]
        return self.lines.get(where, 0)

    def refuse(self, *flaws: Flaw) -> Unreadable:
        """The error that tells *flaws* with their lines."""
        return Unreadable(*((flaw, self.line(flaw.where)) for flaw in flaws))


class _Loader(yaml.SafeLoader):
    """Refuses aliases: a few of them can stand for a billion values."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise Unreadable((Flaw((), Filled(msg("anchors and aliases are not taken here"))), mark.line + 1))
        return super().compose_node(parent, index)


def dump(content: dict[str, Any]) -> str:
    """*content* as a text that `load` takes.

    Strangers' words in it obey nobody: where something would turn or hide text in a terminal, all but ASCII is escaped.
    """
    text = _dumped(content, plain=True)
    return text if text.replace("\n", "").isprintable() else _dumped(content, plain=False)


def _dumped(content: dict[str, Any], *, plain: bool) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=plain, width=120)


def load(text: bytes) -> Document:
    """The document of *text*, at most 1 MiB. Raises `Unreadable`."""
    if len(text) > MOST_BYTES:
        raise Unreadable((Flaw((), Filled(msg("larger than {} bytes"), MOST_BYTES)), 0))
    document = Document(None)
    try:
        root = yaml.compose(text.decode("utf-8"), Loader=_Loader)
        content = None if root is None else _read(root, (), document)
    except yaml.MarkedYAMLError as wrong:
        raise Unreadable((Flaw((), Filled(NOT_YAML, wrong.problem)), _line(wrong.problem_mark))) from None
    except yaml.YAMLError as wrong:
        raise Unreadable((Flaw((), Filled(NOT_YAML, str(wrong).splitlines()[0])), 0)) from None
    except UnicodeDecodeError:
        raise Unreadable((Flaw((), Filled(msg("not UTF-8 text"))), 0)) from None
    except RecursionError:
        raise Unreadable((Flaw((), Filled(msg("too deep"))), 0)) from None
    return Document(content, document.lines)


def _line(mark: yaml.Mark | None) -> int:
    return 0 if mark is None else mark.line + 1


def _read(node: yaml.Node, where: Place, document: Document) -> Any:  # noqa: ANN401 - JSON has no narrower type
    document.lines.setdefault(where, _line(node.start_mark))
    if isinstance(node, yaml.MappingNode) and node.tag == TAG + "map":
        return _mapping(node, where, document)
    if isinstance(node, yaml.SequenceNode) and node.tag == TAG + "seq":
        return [_read(item, (*where, position), document) for position, item in enumerate(node.value)]
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, where, document)
    raise document.refuse(Flaw(where, Filled(TAGGED, node.tag)))


def _mapping(node: yaml.MappingNode, where: Place, document: Document) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else None
        if name is None or key.tag not in (AS_WRITTEN | SCALARS):
            raise Unreadable((Flaw(where, Filled(msg("a key is plain text"))), _line(key.start_mark)))
        if name in found:
            raise Unreadable((Flaw((*where, name), Filled(msg("is there twice"))), _line(key.start_mark)))
        document.lines[*where, name] = _line(key.start_mark)
        found[name] = _read(value, (*where, name), document)
    return found


def _scalar(node: yaml.ScalarNode, where: Place, document: Document) -> str | int | float | bool | None:
    if node.tag in AS_WRITTEN:
        if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in node.value):
            raise document.refuse(Flaw(where, Filled(msg("has characters that are none"))))
        return str(node.value)
    if node.tag not in SCALARS:
        raise document.refuse(Flaw(where, Filled(TAGGED, node.tag)))
    try:
        found: int | float | bool | None = yaml.SafeLoader("").construct_object(node)
    except ValueError:
        raise document.refuse(Flaw(where, Filled(msg("is no number that can be held")))) from None
    if isinstance(found, float) and not math.isfinite(found):
        raise document.refuse(Flaw(where, Filled(msg("is no finite number"))))
    return found
