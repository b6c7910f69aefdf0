"""Policies: the rules that count, in order, the settings that stand beside them, and the simulator."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import render_template, request
from flask.typing import ResponseReturnValue

from ...protocol.errors import OAuthError
from ...protocol.msg import Filled, msg
from ...protocol.policy.request import NO_FACTOR
from ...protocol.policy.words import about
from ...protocol.role import Permission
from ...services.policy.explanation import Explanation, Question, Simulator, Unknown
from ...services.policy.review import Reviewer
from ..deployment import deployment
from . import blueprint
from .access import needs

NAMES = ("user", "client", "server", "tool", "at", "from", "factor")
MOST_CHARACTERS = 2048
NO_TIME = msg("The time is to be written as 2026-01-31T14:30, in UTC.")


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that has a say beside the rules: its name in the file, its value, and what that means."""

    name: str
    value: str
    means: str


@blueprint.get("/policies")
@needs(Permission.POLICIES_READ)
def policies() -> ResponseReturnValue:
    """The rules and, if a question was asked, its answer."""
    found = deployment()
    current = found.stores.policies.current()
    asked = {name: _given(name) for name in NAMES}
    explained, problem = _answer(asked) if asked["client"] or asked["server"] else (None, "")
    return render_template(
        "admin/policies.html",
        version=current.version,
        lines=[(rule, about(rule)) for rule in current.rules],
        doubts=list(Reviewer(found.stores).doubts(current.rules)),
        applied=found.stores.policies.applied(),
        resources=found.stores.resources.all(),
        settings=_settings(),
        asked=asked,
        explained=explained,
        problem=problem,
    )


def _answer(asked: dict[str, str]) -> tuple[Explanation | None, str]:
    """The answer, or what is wrong with the question."""
    try:
        at = datetime.fromisoformat(asked["at"]).replace(tzinfo=UTC).timestamp() if asked["at"] else time.time()
    except (ValueError, OverflowError):
        return None, NO_TIME
    question = Question(
        username=asked["user"] or None,
        client_id=asked["client"],
        server=asked["server"],
        tool=asked["tool"] or None,
        at=int(at),
        address=asked["from"],
        factor=asked["factor"] or NO_FACTOR,
    )
    try:
        return Simulator(deployment().stores, deployment().policies).explain(question), ""
    except Unknown as unknown:
        return None, str(unknown)
    except OAuthError as refused:
        return None, str(refused.description)


def _given(name: str) -> str:
    given = request.args.get(name, "").strip()
    return given if given.isprintable() and len(given) <= MOST_CHARACTERS else ""


def _settings() -> list[Setting]:
    told = deployment().settings
    domains = deployment().stores.domains.all()
    hosts = ", ".join(map(str, told.registration_redirect_hosts)) or Filled(msg("any"))
    return [
        Setting("registration", str(told.registration), msg("who registers a client")),
        Setting("registration_redirect_hosts", hosts, msg("where clients may send people")),
        Setting(
            "metadata_documents", str(told.metadata_documents).lower(), msg("clients that name themselves by a URL")
        ),
        Setting(
            "metadata_document_domains",
            told.metadata_document_domains,
            Filled(msg("{} domains were decided on"), len(domains)),
        ),
        Setting(
            "consent",
            Filled(msg("remembered")),
            msg("for each app, server and scope, until it is taken back or the app changes"),
        ),
        Setting("metadata_document_changes", told.metadata_document_changes, msg("what a changed document does")),
        Setting(
            "access_token_lifetime", f"{told.access_token_lifetime} s", msg("rules are asked again at each refresh")
        ),
        Setting("refresh_token_lifetime", f"{told.refresh_token_lifetime} s", msg("how long an app may rest")),
        Setting("fresh_sign_in", f"{told.fresh_sign_in} s", msg("what a fresh sign-in is")),
        Setting("pending_grant_lifetime", f"{told.pending_grant_lifetime} s", msg("how long a request waits")),
    ]
