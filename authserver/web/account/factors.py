"""A person's own second factors: what they have, its end, and the codes for when it is lost."""

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...accounts.letters import FACTOR_REMOVED
from ...protocol.msg import msg
from ...protocol.strangers import plain
from ...store.ways_in import LastWayIn
from .. import next_page
from ..deployment import deployment
from ..listing import event, wanted_id
from ..origin import origin
from ..signed_in import Visitor, freshly, recognised, visitor
from ..stale import again, form_of
from . import blueprint
from .ways_in import ways

MOST_FACTORS = 20
LONGEST_NAME = 60
LAST = msg(
    "It is the only way into your account: add another passkey, link a provider, or have a password set, before you "
    "remove it."
)


@blueprint.get("/account/security/factors")
@recognised
def factors() -> ResponseReturnValue:
    """All of them, and the ways to more."""
    person, used = whose(), deployment().second_factors
    found = used.codes.store.of_user(person.user.id)
    return render_template(
        "account/second_factors.html",
        factors=found,
        codes_left=used.codes.recovery.left(person.user.id),
        passkeys=used.passkeys.are_possible,
        needed=used.must_have(person.user.role) and not found,
        full=len(found) >= MOST_FACTORS,
        onwards=next_page.wanted(),
    )


@blueprint.get("/account/security/factors/remove")
@freshly
def remove_factor() -> ResponseReturnValue:
    """What removing it will do."""
    found = deployment().stores.factors.of_user(whose().user.id)
    factor = next((each for each in found if each.id == wanted_id()), None)
    if factor is None:
        raise NotFound
    return render_template("account/remove_factor.html", factor=factor, is_last=len(found) == 1)


@blueprint.post("/account/security/factors/remove")
@freshly
@form_of(remove_factor)
def do_remove_factor() -> ResponseReturnValue:
    """Remove it. Done twice, it is done."""
    person = whose()
    removed = event("factor.removed").about(user_id=person.user.id, detail={"id": wanted_id()})
    letter = deployment().own_account.letters.way_in_changed(person.user, FACTOR_REMOVED, origin())
    try:
        deployment().stores.factors.remove(person.user.id, wanted_id(), ways(), removed, letter)
    except LastWayIn:
        return again(remove_factor, LAST, 409)
    return redirect(next_page.leading_to(None, "account.factors"), 303)


@blueprint.get("/account/security/factors/recovery-codes")
@freshly
def recovery_codes() -> ResponseReturnValue:
    """What they are for, and what making new ones does to the old ones."""
    left = deployment().second_factors.codes.recovery.left(_with_factor().user.id)
    return render_template("account/recovery_codes.html", left=left, codes=(), onwards=next_page.wanted())


@blueprint.post("/account/security/factors/recovery-codes")
@freshly
@form_of(recovery_codes)
def make_recovery_codes() -> ResponseReturnValue:
    """Make them, and show them this once."""
    codes = deployment().second_factors.codes.new_recovery_codes(_with_factor().user, origin())
    return render_template("account/recovery_codes.html", left=len(codes), codes=codes, onwards=next_page.wanted())


def whose() -> Visitor:
    """Who is signed in. Raises `NotFound` where this server knows no second factors."""
    person = visitor()
    if person is None or not deployment().second_factors.are_used:
        raise NotFound
    return person


def with_room() -> Visitor:
    """Who may add a factor. Raises `NotFound` for more than anybody needs."""
    person = whose()
    if len(deployment().stores.factors.of_user(person.user.id)) >= MOST_FACTORS:
        raise NotFound
    return person


def chosen_name(otherwise: str) -> str:
    """What the person calls it, by the form."""
    return plain(request.form.get("name", ""), LONGEST_NAME).strip() or otherwise


def added() -> ResponseReturnValue:
    """Where one goes on after a factor was added: to recovery codes if there are none, else to the list."""
    left = deployment().second_factors.codes.recovery.left(whose().user.id)
    return redirect(
        next_page.leading_to(next_page.wanted(), "account.factors" if left else "account.recovery_codes"), 303
    )


def _with_factor() -> Visitor:
    """Who has something to recover. Raises `NotFound`."""
    person = whose()
    if not person.session.has_factor:
        raise NotFound
    return person
