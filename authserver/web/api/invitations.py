"""Invitations: who may make an account, and under which name. A client invites nobody as an owner or an admin."""

from pydantic import Field

from ...protocol.mail_address import NoMailAddress
from ...protocol.msg import Language
from ...protocol.role import Permission, Role
from ...protocol.user_name import UserNameRefused
from ...store.users import EmailTaken, UserExists
from .clients import Seconds
from .operation import PLAIN, Answer, AnyOperation, Call, Nothing, One, Operation, Parameters, acting, reading
from .people import STANDS_AS
from .problem import Problem

MOST_OPEN = 200
TOO_HIGH = "only an owner invites owners and admins, in the console or by 'authserver user invite'"


class InvitationForm(Parameters):
    """Whom to invite."""

    username: str = Field(min_length=1, max_length=200)
    display_name: str = Field("", max_length=200, pattern=PLAIN, description="The user name if empty")
    email: str = Field(max_length=254)
    role: Role = Role.MEMBER
    language: Language = Field("en", description="That of the mail")


class Invited(Answer):
    """What came of it."""

    link: str | None = Field(description="To be handed on, where no mail is sent; null: it was mailed")


class InvitationState(Answer):
    """An invitation that nobody accepted yet."""

    id: str
    username: str
    display_name: str
    role: Role
    email: str
    created_at: Seconds
    expires_at: Seconds


class OpenInvitations(Answer):
    """The invitations that nobody accepted yet, newest first, at most 200."""

    items: list[InvitationState]


def _invite(call: Call[Nothing, InvitationForm]) -> Invited:
    wanted = call.body
    if not STANDS_AS.stands_over(wanted.role):
        raise Problem(409, TOO_HIGH)
    try:
        link = call.deployment.invitations.invite(
            wanted.username,
            wanted.display_name,
            wanted.role,
            wanted.email,
            call.event("user.invited"),
            STANDS_AS,
            wanted.language,
        )
    except (UserNameRefused, NoMailAddress) as refused:
        raise Problem(400, str(refused)) from None
    except (UserExists, EmailTaken) as taken:
        raise Problem(409, str(taken)) from None
    return Invited(link=link)


def _list(call: Call[Nothing, Nothing]) -> OpenInvitations:
    found = call.deployment.stores.invitations.open(MOST_OPEN)
    names = InvitationState.model_fields
    return OpenInvitations(items=[InvitationState(**{name: getattr(each, name) for name in names}) for each in found])


def _withdraw(call: Call[One, Nothing]) -> None:
    store = call.deployment.stores.invitations
    found = store.by_id(call.query.id)
    if found is not None and not STANDS_AS.stands_over(found.role):
        raise Problem(409, TOO_HIGH)
    if found is None or not store.withdraw(found.id, call.event("user.invitation_withdrawn")):
        raise Problem(404, "no invitation of this id waits")


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/invitations", Permission.PEOPLE_READ, "Invitations that wait", Nothing, OpenInvitations, _list),
    Operation(
        "POST", "/invitations", Permission.PEOPLE_INVITE, "Invite somebody to make an account", _invite, Nothing,
        InvitationForm, Invited, once=True, problems=(409,),
    ),
    acting(
        "/invitation", Permission.PEOPLE_INVITE, "Take an invitation back", One, _withdraw, method="DELETE",
        problems=(409,),
    ),
)  # fmt: skip
