"""``authserver user invite``: who may make an account, and what became of that."""

import json
from dataclasses import asdict

import click

from ..outbound.mail import MailRefused
from ..protocol.audit import Event
from ..protocol.mail_address import NoMailAddress
from ..protocol.msg import LANGUAGES
from ..protocol.role import Role
from ..protocol.user_name import UserNameRefused
from ..services.deployment import Deployment
from ..store.users import EmailTaken, UserExists
from .deployment import with_deployment
from .person import ROLES, moment
from .plain import plain

MOST_SHOWN = 200


@click.command("invite")
@click.argument("username")
@click.option("--email", required=True, help="Where the invitation goes.")
@click.option("--name", default="", help="The name that pages show; the user name if left out.")
@click.option(
    "--role", type=ROLES, default=Role.MEMBER.value, show_default=True, help="What the console opens to them."
)
@click.option(
    "--language", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True, help="That of the mail."
)
@with_deployment
def invite(found: Deployment, username: str, email: str, name: str, role: str, language: str) -> None:
    """Mail somebody a link by which they choose a password and have an account; print it where no mail is sent.

    An earlier invitation of the same name works no more.
    """
    try:
        invited = Event("user.invited", "system")
        link = found.invitations.invite(username, name, Role(role), email, invited, language=language)
    except (UserNameRefused, NoMailAddress, UserExists, EmailTaken) as refused:
        raise click.ClickException(str(refused)) from None
    if link is not None:
        click.echo(f"invited {plain(username)}; no mail is set up, so hand this link on, which works once:\n{link}")
        return
    click.echo(f"invited {plain(username)}: {_sent(found, email)}")


@click.command("invitations")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@with_deployment
def invitations(found: Deployment, as_json: bool) -> None:
    """Show the invitations that nobody accepted yet, newest first."""
    for each in found.stores.invitations.open(MOST_SHOWN):
        if as_json:
            click.echo(json.dumps(asdict(each)))
        else:
            click.echo(f"{plain(each.username):24} {each.role:8} {plain(each.email)}  until {moment(each.expires_at)}")


@click.command("withdraw-invitation")
@click.argument("username")
@with_deployment
def withdraw(found: Deployment, username: str) -> None:
    """Take an invitation back: its link opens nothing any more."""
    wanted = found.stores.invitations.by_name(username.strip())
    event = Event("user.invitation_withdrawn", "system")
    if wanted is None or not found.stores.invitations.withdraw(wanted.id, event):
        raise click.ClickException("there is no such invitation: 'authserver user invitations' shows those that wait")
    click.echo(f"withdrew the invitation of {plain(username)}")


def _sent(found: Deployment, email: str) -> str:
    """What became of the mail: a server that runs sends it too, and again if need be."""
    try:
        while found.post.deliver():
            pass
    except MailRefused as refused:
        return f"the mail waits, and a running server sends it again: {refused}"
    return f"the mail to {plain(email)} is on its way"
