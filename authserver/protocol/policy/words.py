"""A rule in a sentence, for whoever reads it on a page or in a terminal."""

from ..msg import Filled, listed, msg
from .conditions import CONDITIONS
from .rule import NONE, Conditions, Rule

PHRASES = {
    "who": msg("for {}"),
    "through": msg("through {}"),
    "servers": msg("at {}"),
    "days": msg("on {}"),
    "hours": msg("at {} (UTC)"),
    "from": msg("from the network {}"),
    "factor": msg("with the second factor {}"),
    "tools": msg("the tools {}"),
    "scopes": msg("the scopes {}"),
    "risks": msg("what can {}"),
}
RISKS = {"read": msg("read"), "write": msg("change"), "destructive": msg("destroy")}
VERIFIED = msg("through verified clients")
NOT_VERIFIED = msg("through clients that are not verified")
EVERYTHING = msg("everything")
UNLESS = msg("{}, unless {}")
AND, AND_ALSO, OR = "{}, {}", msg("{} and {}"), msg("{} or {}")


def sentence(rule: Rule) -> str:
    """*rule* in words: ``deny: the tools delete_*, for user:bob, unless from the network 10.0.0.0/8``."""
    return Filled("{}: {}", Filled(rule.effect), about(rule))


def about(rule: Rule) -> str:
    """What *rule* is about, in words."""
    told = listed(AND, _told(rule.when)) or Filled(EVERYTHING)
    return Filled(UNLESS, told, listed(AND_ALSO, _told(rule.unless))) if rule.unless != NONE else told


def _told(conditions: Conditions) -> list[str]:
    found: list[str] = []
    for name in (
        "tools",
        "scopes",
        "risks",
        "who",
        "through",
        "verified",
        "servers",
        "days",
        "hours",
        "from",
        "factor",
    ):
        value = BY_NAME[name].of(conditions)
        if not BY_NAME[name].is_given(conditions):
            continue
        if name == "verified":
            found.append(Filled(VERIFIED if value else NOT_VERIFIED))
        else:
            entries = [value] if isinstance(value, str) else [*value]
            words = [Filled(RISKS[entry]) for entry in entries] if name == "risks" else entries
            found.append(Filled(PHRASES[name], listed(OR, words)))
    return found


BY_NAME = {condition.name: condition for condition in CONDITIONS}
