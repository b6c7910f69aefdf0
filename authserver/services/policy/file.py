"""Rules as a file, in YAML: ``version`` is the one that it was written from, ``rules`` is their list."""

from dataclasses import dataclass

from ...protocol.flaw import Flaw
from ...protocol.msg import Filled, msg
from ...protocol.policy import reading
from ...protocol.policy.rule import Rules
from ..desired_state.document import dump, load

A_FILE = msg("a mapping with the list 'rules', and perhaps 'version'")
MEMBERS = {"version", "rules"}
MOST_POSTED = 262_144  # bytes of rules by page or API; five hundred of usual length
GREATEST = 2**31 - 1  # that the database can compare


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """``version`` is None where the file does not say from which it was written."""

    version: int | None
    rules: Rules


def read(text: bytes) -> PolicyFile:
    """The rules of *text*. Raises `desired_state.document.Unreadable` with the lines of what is wrong."""
    document = load(text)
    content = document.content
    if not isinstance(content, dict) or "rules" not in content:
        raise document.refuse(Flaw((), Filled(A_FILE)))
    strange = [Flaw((str(name),), Filled(msg("is not known here"))) for name in content if name not in MEMBERS]
    version = content.get("version")
    if version is not None and (type(version) is not int or not 0 <= version <= GREATEST):
        strange.append(Flaw(("version",), Filled(msg("a number"))))
    if strange:
        raise document.refuse(*strange)
    try:
        return PolicyFile(version, reading.read(content["rules"] if content["rules"] is not None else []))
    except reading.Unfit as wrong:
        raise document.refuse(*(flaw.inside("rules") for flaw in wrong.flaws)) from None


def write(version: int, rules: Rules) -> str:
    """*rules* as a file that `read` takes."""
    return dump({"version": version, "rules": reading.written(rules)})
