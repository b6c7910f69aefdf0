"""Settings as they are told to administrators: each with its value and where that comes from, and no secret."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pydantic import SecretStr

from ..protocol.msg import Filled, msg
from .group import Group
from .loading import Settings

LEFT_OUT = "…"
QUERY = re.compile(r"[?#]")


class Source(StrEnum):
    """Where a value comes from."""

    DEFAULT = msg("default")
    FILE = msg("file")
    ENVIRONMENT = msg("environment")


@dataclass(frozen=True, slots=True)
class Told:
    """A setting: what it is for, its value in words, and its source; a secret says only whether it is ``set``."""

    name: str
    purpose: str
    value: str
    source: Source


def told(settings: Settings) -> dict[str, tuple[Told, ...]]:
    """All of *settings* by what they are about, in the order in which they are documented."""
    return {_about(group): tuple(_told(settings, name) for name in _own(group)) for group in _groups()}


def texts() -> Iterator[str]:
    """What is said of all settings, and of what they are about; for catalogues of translations."""
    for group in _groups():
        yield _about(group)
        yield from map(_purpose, _own(group))


def _groups() -> list[type[Group]]:
    return [each for each in Settings.__bases__ if issubclass(each, Group)]


def _about(group: type[Group]) -> str:
    return (group.__doc__ or group.__name__).splitlines()[0].rstrip(".")


def _own(group: type[Group]) -> list[str]:
    return [name for name in group.model_fields if name in group.__annotations__]


def _told(settings: Settings, name: str) -> Told:
    return Told(name, _purpose(name), _words(name, getattr(settings, name)), _source(settings, name))


def _purpose(name: str) -> str:
    return " ".join((Settings.model_fields[name].description or "").replace("`", "").split())


def _source(settings: Settings, name: str) -> Source:
    if name in settings.in_environment:
        return Source.ENVIRONMENT
    return Source.FILE if name in settings.model_fields_set else Source.DEFAULT


def _words(name: str, value: object) -> str:
    if isinstance(value, SecretStr):
        return Filled(msg("set")) if value.get_secret_value() else Filled(msg("not set"))
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, list | tuple):
        return ", ".join(_words(name, each) for each in value) or Filled(msg("none"))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_words(name, each)}" for key, each in value.items()) or Filled(msg("none"))
    return _without_secrets(str(value), path="webhook" not in name) or Filled(msg("empty"))


def _without_secrets(text: str, *, path: bool) -> str:
    """*text* without the password and the query of a URL, and without its *path* where that is one.

    Passwords are cut as far as they may reach: up to the last ``@``, whatever is in them.
    """
    scheme, is_url, rest = text.partition("://")
    if not is_url:
        return text
    who, at, where = rest.rpartition("@")
    user, colon, _ = who.partition(":")
    where, *query = QUERY.split(where, maxsplit=1)
    if not path:
        where = f"{where.partition('/')[0]}/{LEFT_OUT}"
    return f"{scheme}://{user}{colon + LEFT_OUT if colon else ''}{at}{where}{'?' + LEFT_OUT if query else ''}"
