"""``authserver user``: the people who sign in."""

import secrets
import sys
from typing import Any

import click

from ..protocol.audit import Event
from ..protocol.role import Role
from ..services.deployment import Deployment
from ..store.users import UserExists, UserListing
from .deployment import with_deployment
from .person import ROLES, described
from .table import as_objects, show

LEAST_PASSWORD = 12
MOST_USERNAME = 200
HEADS = ("user name", "role", "state", "grants", "name")


@click.group()
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
    username = username.strip()
    if not username or not username.isprintable() or len(username) > MOST_USERNAME:
        raise click.ClickException(f"a user name has 1 to {MOST_USERNAME} printable characters")
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else secrets.token_urlsafe(15)
    if len(password) < LEAST_PASSWORD:
        raise click.ClickException(f"the password must have at least {LEAST_PASSWORD} characters")
    try:
        found.stores.users.add(
            username,
            name or username,
            found.sign_in.passwords.hash(password),
            Role(role),
            Event("user.added", "system", detail={"username": username, "role": role}),
        )
    except UserExists:
        raise click.ClickException(f"there is a user {username!r} already") from None
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
