"""``authserver user …`` about one person: what is theirs, their role, and their way in and out."""

import json
import time
from dataclasses import asdict
from typing import Any

import click

from ..protocol.audit import Event
from ..protocol.role import Role
from ..services.deployment import Deployment
from ..services.mass_revocation import let_in, lock_out
from ..store.grants import GrantListing
from ..store.remembered import RememberedListing
from ..store.sessions import SessionListing
from ..store.user import User
from ..store.users import LastOwner, StillEnding
from .deployment import with_deployment
from .plain import plain

MOST_SHOWN = 100  # sessions, and grants
LONGEST_SECONDS = 3600  # for very many grants to end, in batches
ROLES = click.Choice([role.value for role in Role])


@click.command("show")
@click.argument("username")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@with_deployment
def show(found: Deployment, username: str, as_json: bool) -> None:
    """Show a person: role, state, groups, identities at providers, sessions and live grants."""
    one = person(found, username)
    said = {**described(one), "email": one.email, "email_confirmed": one.email_verified_at is not None}
    if not one.disabled and found.sign_in.locked_for(one.username):
        said["state"] = "locked"
    groups = found.stores.groups.of(one.id)
    identities = [asdict(line) for line in found.stores.identities.of_user(one.id)]
    live = found.stores.sessions.of_user(one.id, MOST_SHOWN)
    sessions = [_session(line) for line in live]
    resting = [_session(line) for line in found.places.resting(one.id, live, MOST_SHOWN)]
    grants = [_grant(line) for line in found.stores.grants.for_user(one.id, MOST_SHOWN)]
    if as_json:
        lists = {"groups": groups, "identities": identities, "sessions": sessions, "resting": resting}
        click.echo(json.dumps({**said, **lists, "grants": grants}))
        return
    for name, value in {**said, "groups": ", ".join(groups) or "none"}.items():
        click.echo(f"{name}: {plain(str(value))}")
    kinds = (("identity", identities), ("session", sessions), ("browser that stays", resting), ("grant", grants))
    for kind, lines in kinds:
        for line in lines:
            click.echo(f"{kind} {plain('  '.join(str(value) for value in line.values()))}")


@click.command("role")
@click.argument("username")
@click.argument("role", type=ROLES)
@with_deployment
def give_role(found: Deployment, username: str, role: str) -> None:
    """Give a person a role. It counts at once, in open sessions too; the last owner stays one."""
    one = person(found, username)
    if one.role == role:
        click.echo("nothing to do")
        return
    try:
        given = found.stores.users.set_role(one.id, Role(role), one.role, Event("user.role_changed", "system"))
    except LastOwner as last:
        raise click.ClickException(str(last)) from None
    if not given:
        raise click.ClickException("somebody else gave this person a role in this moment; nothing was done")
    click.echo(f"{plain(one.username)} is {role}, was {one.role}")


@click.command("disable")
@click.argument("username")
@with_deployment
def disable(found: Deployment, username: str) -> None:
    """Lock a person out: sessions and grants end at once, tokens with them. The last owner stays."""
    _set_disabled(found, person(found, username), disabled=True)


@click.command("enable")
@click.argument("username")
@with_deployment
def enable(found: Deployment, username: str) -> None:
    """Let a person in again, who then signs in anew; nothing that ended comes back."""
    _set_disabled(found, person(found, username), disabled=False)


@click.command("reset-password")
@click.argument("username")
@with_deployment
def reset_password(found: Deployment, username: str) -> None:
    """Print a link by which a person chooses a new password, for whoever gets none by mail. It works once."""
    one = person(found, username)
    if one.disabled:
        raise click.ClickException("this person is disabled: 'authserver user enable' lets them in again")
    link = found.own_account.link_to_reset(one, Event("user.password_reset_offered", "system"))
    minutes = found.settings.account_link_lifetime // 60
    click.echo(f"hand this link to {plain(one.username)} alone, within {minutes} minutes:\n{link}")


@click.group("sessions")
def sessions() -> None:
    """Where a person is signed in."""


@sessions.command("end")
@click.argument("username")
@click.option("--id", "session_id", help="Only this one, or a browser that stays, as 'authserver user show' names it.")
@with_deployment
def end_sessions(found: Deployment, username: str, session_id: str | None) -> None:
    """Sign a person out, everywhere or from one session. Grants stay."""
    one = person(found, username)
    if session_id is None:
        ended = found.interventions.end_sessions(one, Event("sessions.ended", "system"))
        click.echo(f"ended {ended} session{'' if ended == 1 else 's'}")
        return
    if not found.places.end(one.id, session_id, MOST_SHOWN, Event("session.ended", "system")):
        raise click.ClickException("this person has no such session: 'authserver user show' names those that live")
    click.echo("ended the session")


@click.command("remove-factors")
@click.argument("username")
@with_deployment
def remove_factors(found: Deployment, username: str) -> None:
    """Take all second factors and recovery codes from a person who has lost them: their password is enough again.

    Be sure first that it is them who asks.
    """
    one = person(found, username)
    removed = found.interventions.remove_factors(one, Event("factors.removed", "system"))
    click.echo(f"removed {removed} factor{'' if removed == 1 else 's'}")


def person(found: Deployment, username: str) -> User:
    """The person of that user name, or a message that there is none."""
    one = found.stores.users.by_name(username.strip())
    if one is None:
        raise click.ClickException(f"there is no user {username!r}: 'authserver user list' shows who there is")
    return one


def described(one: User) -> dict[str, Any]:
    """What is said of a person; nothing of their password."""
    state = "disabled" if one.disabled else "active"
    return {"id": one.id, "username": one.username, "name": one.display_name, "role": str(one.role), "state": state}


def _set_disabled(found: Deployment, one: User, *, disabled: bool) -> None:
    event = Event("user.disabled" if disabled else "user.enabled", "system")
    try:
        changed = (lock_out if disabled else let_in)(found.stores.users, one.id, event, LONGEST_SECONDS)
    except (LastOwner, StillEnding) as refused:
        raise click.ClickException(str(refused)) from None
    said = f"{'disabled' if disabled else 'enabled'} {plain(one.username)}"
    click.echo(said if changed else "nothing to do")


def _session(line: SessionListing | RememberedListing) -> dict[str, Any]:
    used = moment(line.last_seen_at)
    return {"id": line.id, "address": line.address, "last_used": used, "agent": line.agent}


def _grant(line: GrantListing) -> dict[str, Any]:
    return {
        "id": line.id,
        "client_id": line.client_id,
        "client_name": line.client_name,
        "resource": line.resource,
        "scopes": " ".join(line.scopes),
        "allowed": moment(line.created_at),
    }


def moment(seconds: int) -> str:
    """Unix *seconds*, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
