"""A rule in a sentence, for whoever reads it on a page or in a terminal."""

from .conditions import CONDITIONS
from .rule import NONE, Conditions, Rule

PHRASES = {
    "who": "for {}",
    "through": "through {}",
    "servers": "at {}",
    "days": "on {}",
    "hours": "at {} (UTC)",
    "from": "from {}",
    "factor": "with the second factor {}",
    "tools": "the tools {}",
    "scopes": "the scopes {}",
    "risks": "what can {}",
}
RISKS = {"read": "read", "write": "change", "destructive": "destroy"}


def sentence(rule: Rule) -> str:
    """*rule* in words: ``deny: the tools delete_*, for user:bob, unless from 10.0.0.0/8``."""
    return f"{rule.effect}: {about(rule)}"


def about(rule: Rule) -> str:
    """What *rule* is about, in words."""
    told = ", ".join(_told(rule.when)) or "everything"
    return f"{told}, unless {' and '.join(_told(rule.unless))}" if rule.unless != NONE else told


def _told(conditions: Conditions) -> list[str]:
    found = []
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
            found.append("through verified clients" if value else "through clients that are not verified")
        else:
            entries = [value] if isinstance(value, str) else [RISKS.get(one, one) for one in value]
            found.append(PHRASES[name].format(" or ".join(entries)))
    return found


BY_NAME = {condition.name: condition for condition in CONDITIONS}
