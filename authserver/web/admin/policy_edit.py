"""The rules of policy are changed: written as a file, looked over, and made to count."""

import time
from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...protocol.msg import msg
from ...protocol.policy import difference
from ...protocol.role import Permission
from ...services.desired_state.document import Unreadable
from ...services.policy import file
from ...services.policy.replay import DAY_MS, Replay, Replayed
from ...services.policy.review import Reviewer
from ...store.policies import Overtaken, Policy
from ..bodies import up_to
from ..deployment import deployment
from ..listing import event
from ..stale import again, form_of
from . import blueprint
from .access import needs

DAYS = 7
MOST_SHOWN = 100  # lines
SECONDS = 3.0
CHANGED = msg(
    "Other rules count since this page was shown, or the line 'version' was taken out. Nothing was changed: see what "
    "counts now, and write yours anew from that."
)
UNREADABLE = msg("Nothing was changed: these are no rules yet.")


@dataclass(frozen=True, slots=True)
class Looked:
    """What was typed, looked over: its ``wanted`` rules or ``problems``, what they change, and what to doubt.

    ``replayed`` is what they would have changed in the last days, where that was asked for.
    """

    wanted: file.PolicyFile | None
    problems: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    replayed: Replayed | None = None


@blueprint.get("/policies/edit")
@needs(Permission.POLICIES_EDIT, fresh=True, typed=True)
def edit_policies() -> ResponseReturnValue:
    """The rules as a file; of what was typed, what it would change."""
    current, typed = deployment().stores.policies.current(), request.form.get("rules")
    if typed is None:
        return _page(file.write(current.version, current.rules), None)
    return _page(typed, _look(typed, current))


def _page(text: str, looked: Looked | None) -> ResponseReturnValue:
    return render_template("admin/edit_policies.html", text=text, looked=looked, days=DAYS, most=MOST_SHOWN)


@blueprint.post("/policies/edit")
@needs(Permission.POLICIES_EDIT, fresh=True, typed=True)
@form_of(edit_policies)
@up_to(file.MOST_POSTED)
def do_edit_policies() -> ResponseReturnValue:
    """Look what was typed over or, if the form says so, let it count in place of the version that it names."""
    policies = deployment().stores.policies
    looked = _look(request.form.get("rules", ""), policies.current())
    if looked.wanted is None:
        return again(edit_policies, UNREADABLE, 400)
    if looked.wanted.version != policies.current().version:
        return again(edit_policies, CHANGED, 409)
    if request.form.get("act") != "apply":
        return _page(request.form["rules"], looked)
    try:
        policies.apply(looked.wanted.rules, looked.wanted.version, event("policy.applied"))
    except Overtaken:
        return again(edit_policies, CHANGED, 409)
    return redirect(url_for("admin.policies"), 303)


def _look(text: str, current: Policy) -> Looked:
    try:
        wanted = file.read(text.encode())
    except Unreadable as wrong:
        return Looked(None, wrong.told)
    changes = difference.changes(current.rules, wanted.rules)
    words = tuple(line for change in changes for line in change.words)
    doubts = tuple(Reviewer(deployment().stores).doubts(wanted.rules))
    replayed = _replay(wanted, current) if request.form.get("act") == "replay" else None
    return Looked(wanted, (), words, doubts, replayed)


def _replay(wanted: file.PolicyFile, current: Policy) -> Replayed:
    found = deployment()
    after = found.stores.policies.with_people(0, wanted.rules)
    return Replay(found.stores, found.policies, current, after, SECONDS).run(int(time.time() * 1000) - DAYS * DAY_MS)
