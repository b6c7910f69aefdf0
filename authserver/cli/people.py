"""``authserver user``: the people who sign in."""

import secrets
import sys
from typing import Any

import click

from ..accounts.password_rules import PasswordRefused
from ..protocol import user_name
from ..protocol.audit import Event
from ..protocol.role import Role
from ..protocol.user_name import UserNameRefused
from ..services.deployment import Deployment
from ..store.users import UserExists, UserListing
from .deployment import with_deployment
from .elsewhere import Elsewhere
from .person import ROLES, described
from .table import as_objects, show

HEADS = ("user name", "role", "state", "grants", "name")
ELSEWHERE = {
    "show": "person.show",
    "role": "person.give_role",
    "disable": "person.disable",
    "enable": "person.enable",
    "reset-password": "person.reset_password",
    "sessions": "person.sessions",
    "remove-factors": "person.remove_factors",
    "invite": "invitations.invite",
    "invitations": "invitations.invitations",
    "withdraw-invitation": "invitations.withdraw",
    "join": "policy_requests.join",
    "leave": "policy_requests.leave",
}


@click.group(commands=Elsewhere(ELSEWHERE))
def user() -> None:
    """People who sign in."""


@user.command("add")
@click.argument("username")
@click.option("--name", default="", help="The name that pages show; the user name if left out.")
@click.option(
    "--role", type=ROLES, default=Role.MEMBER.value, show_default=True, help="What the console opens to them."
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@with_deployment
def add(found: Deployment, username: str, name: str, role: str, password_stdin: bool) -> None:
    """Add a person. Without --password-stdin a random password is made and shown once."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else secrets.token_urlsafe(15)
    try:
        username = user_name.check(username)
        found.own_account.rules.check(password, username, name)
        found.stores.users.add(
            username,
            name or username,
            found.sign_in.passwords.hash(password),
            Role(role),
            Event("user.added", "system", detail={"username": username, "role": role}),
        )
    except PasswordRefused as refused:
        raise click.ClickException(f"this password is not taken: {refused}") from None
    except (UserNameRefused, UserExists) as refused:
        raise click.ClickException(str(refused)) from None
    click.echo(f"added {username}" + ("" if password_stdin else f", password: {password}"))


@user.command("list")
@click.option("--search", default="", help="Part of a user name or of a name.")
@click.option("--limit", default=50, show_default=True, help="How many at the most, newest first.")
@as_objects
@with_deployment
def list_people(found: Deployment, search: str, limit: int, as_json: bool) -> None:
    """Show people, newest first."""
    show(found.stores.users.page(search, None, limit), HEADS, _row, _facts, as_json=as_json)


@user.command("groups")
@as_objects
@with_deployment
def list_groups(found: Deployment, as_json: bool) -> None:
    """Show the groups that there are, for rules of policy, and how many people each has."""
    sizes = found.stores.groups.sizes().items()
    show(sizes, ("group", "people"), lambda one: (one[0], str(one[1])), _group, as_json=as_json)


def _row(line: UserListing) -> tuple[str, ...]:
    one = line.user
    return one.username, one.role, "disabled" if one.disabled else "active", line.counted, one.display_name


def _facts(line: UserListing) -> dict[str, Any]:
    return {**described(line.user), "grants": line.live_grants}


def _group(one: tuple[str, int]) -> dict[str, Any]:
    return {"group": one[0], "people": one[1]}
