"""Signing in with an identity provider: sending a browser there, and taking it back."""

from dataclasses import replace

from flask import Response, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from ...accounts.errors import IdentityRefused
from ...protocol import credential
from ...protocol.amr import BY_UPSTREAM, Method
from ...protocol.msg import msg
from ...protocol.trace.step import Cause, Step
from ...services.upstream.errors import UpstreamError
from ...services.upstream.sign_in import Arrived, Wanted
from ...settings.upstream import Upstream
from ...store.upstream_attempts import Purpose
from .. import attempt, cookies, half_signed_in, languages, next_page, signed_in, staying, tracing
from ..deployment import deployment
from ..origin import origin
from . import blueprint
from .upstream_problems import ANEW, failure

UPSTREAM = "upstream"  # in the browser's session: where its person signed in
MOST_ADDRESS = 254
UNKNOWN = msg("Addresses of that domain have no sign-in of their own here. Use your user name and password.")


@blueprint.app_context_processor
def offered() -> dict[str, object]:
    """What templates show: the providers, whether an address leads to one, and where to prove anew who one is."""
    known = deployment().upstream
    found = tuple(known.upstreams.values())
    return {
        "upstreams": found,
        "upstream_by_address": any(each.domains for each in found),
        "upstreams_again": lambda: known.again(person.user) if (person := signed_in.visitor()) else (),
    }


def asked_for() -> ResponseReturnValue | None:
    """Off to the provider that the sign-in form names, or that the address in it leads to; None if it is neither."""
    chosen, address = request.form.get("upstream"), request.form.get("email", "")[:MOST_ADDRESS]
    if chosen is None:
        return None
    known = deployment().upstream
    found = known.upstreams.get(chosen) if chosen else known.of_address(address)
    if found is None:
        return render_template("sign_in.html", username="", problem=UNKNOWN), 400
    onwards = next_page.wanted() or url_for("account.door")
    staying.note(staying.is_wanted())
    return depart(found, Wanted(onwards, hint="" if chosen else address.strip(), anew=ANEW in session))


def asked_again(person: signed_in.Visitor) -> ResponseReturnValue | None:
    """Off to the provider where *person* is to prove anew who they are; None if the form names none."""
    named = request.form.get("upstream")
    found = next((each for each in deployment().upstream.again(person.user) if each.id == named), None)
    onwards = next_page.wanted() or url_for("account.door")
    return None if found is None else depart(found, Wanted(onwards, Purpose.AGAIN, person.session))


def depart(upstream: Upstream, wanted: Wanted) -> Response:
    """Send the browser to *upstream*; its device cookie is what it is known by when it comes back."""
    try:
        wanted = replace(wanted, languages=languages.onwards())
        address = deployment().upstream.begin(upstream, wanted, credential.digest(cookies.device()), origin())
    except UpstreamError as failed:
        return failure(upstream, failed, wanted.page)
    return cookies.keep_device(make_response(redirect(address, 303)))


@blueprint.get("/sign-in/from/<upstream_id>")
def arrive(upstream_id: str) -> ResponseReturnValue:
    """A browser comes back: it is signed in and goes on, or a page says why not. Nothing is tried again by itself."""
    known, browser = deployment().upstream, credential.digest(cookies.device())
    upstream = known.upstreams.get(upstream_id)
    if upstream is None:
        raise NotFound
    page = None
    try:
        answer, begun = known.attempt(upstream, list(request.args.items(multi=True)), browser)
        page = begun.page
        attempt.belong_to(page)
        person = signed_in.visitor()
        arrived = known.arrive(upstream, answer, begun, person.session if person else None, origin())
    except (UpstreamError, IdentityRefused) as failed:
        return failure(upstream, failed, page)
    return _go_on(arrived, person)


def _go_on(arrived: Arrived, person: signed_in.Visitor | None) -> ResponseReturnValue:
    two = arrived.upstream.two_factors
    methods = (*BY_UPSTREAM, Method.MULTIPLE) if two else BY_UPSTREAM
    if arrived.purpose is not Purpose.LINK and not two and half_signed_in.is_owed_by(arrived.user):
        if arrived.purpose is Purpose.AGAIN and person is not None:
            half_signed_in.begin_again(person, methods, arrived.age)
        else:
            half_signed_in.begin(arrived.user, methods, arrived.age, stays=staying.was_noted())
            session[UPSTREAM] = arrived.upstream.id
        return redirect(next_page.leading_to(arrived.page, "account.second_factor"), 303)
    if arrived.purpose is Purpose.AGAIN and person is not None:
        signed_in.confirm(person, methods)
    if arrived.purpose is Purpose.SIGN_IN:
        tracing.note(Step.SIGN_IN, Cause.SIGNED_IN, user_id=arrived.user.id)
        signed_in.begin(arrived.user, methods, arrived.age, stays=staying.was_noted())
        session[UPSTREAM] = arrived.upstream.id
    return redirect(arrived.page, 303)


def left() -> Upstream | None:
    """The provider that the visitor of this browser signed in with, before that is forgotten."""
    return deployment().upstream.upstreams.get(session.get(UPSTREAM, ""))


def choose_anew() -> None:
    """Have the next sign-in of this browser ask there who it is, whoever is signed in."""
    session[ANEW] = True


def way_out() -> tuple[Upstream, str] | None:
    """The provider that ``at`` names and the URL that signs out there, if it has one."""
    known = deployment().upstream
    upstream = known.upstreams.get(request.args.get("at", ""))
    page = deployment().settings.issuer + url_for("account.signed_out").removeprefix(request.script_root)
    address = known.leave(upstream, page) if upstream else None
    return (upstream, address) if upstream and address else None
