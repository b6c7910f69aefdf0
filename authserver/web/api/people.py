"""People: who can sign in here, what they may do, and where they are signed in.

A client stands over people as an admin does: only an owner, who signs in, acts on owners and admins, or makes some.
"""

from dataclasses import dataclass

from pydantic import Field

from ...protocol.role import MOST_GROUP_NAME, Permission, Role, is_group_name
from ...services.mass_revocation import let_in, lock_out
from ...store.user import User
from ...store.users import LastOwner, StillEnding
from .clients import BULK_SECONDS, Seconds
from .operation import (
    Answer,
    AnyOperation,
    Call,
    Listed,
    Nothing,
    One,
    Operation,
    Parameters,
    Searching,
    acting,
    reading,
)
from .problem import CHANGED, Problem

STANDS_AS = Role.ADMIN
MOST_SESSIONS = 200
MOST_GROUPS = 200


class PersonState(Answer):
    """A person."""

    id: str
    username: str
    display_name: str
    role: Role
    disabled: bool


class OnePerson(PersonState):
    """A person, and the groups that rules of policy speak of."""

    groups: list[str]


class PersonLine(PersonState):
    """A person in a list."""

    live_grants: int
    created_at: Seconds


class PersonPage(Listed[PersonLine]):
    """A page of people."""


class SessionState(Answer):
    """A live session."""

    id: str
    address: str
    agent: str
    created_at: Seconds
    last_seen_at: Seconds
    expires_at: Seconds


class Sessions(Answer):
    """The live sessions of a person, at most 200."""

    items: list[SessionState]
    resting: list[SessionState] = Field(
        description="Browsers that stay signed in and have no session now: each opens one by itself; at most 200"
    )


class OneSession(One):
    """Whose session, and which."""

    session: str = Field(
        max_length=200, pattern=r"^[!-~]+$", description="Its id, or that of a browser that stays signed in"
    )


class NewRole(Parameters):
    """The role that a person is to have."""

    role: Role


class NewGroups(Parameters):
    """The groups that a person is to be in; no others."""

    groups: list[str] = Field(max_length=MOST_GROUPS)


class Ended(Answer):
    """How many sessions were ended."""

    ended: int = Field(ge=0)


class Removed(Answer):
    """How many second factors were removed."""

    removed: int = Field(ge=0)


@dataclass(frozen=True, slots=True)
class Found:
    """How a person stands."""

    user: User
    groups: tuple[str, ...]


AboutOne = Call[One, Nothing] | Call[OneSession, Nothing] | Call[One, NewRole] | Call[One, NewGroups]


def _list(call: Call[Searching, Nothing]) -> PersonPage:
    wanted = call.query
    found = call.deployment.stores.users.page(wanted.q, wanted.after, wanted.limit)
    lines = [PersonLine(**_said(each.user), live_grants=each.live_grants, created_at=each.created_at) for each in found]
    return PersonPage(items=lines, next=found.after)


def _one(call: Call[One, Nothing]) -> OnePerson:
    return _state(_found(call))


def _sessions(call: Call[One, Nothing]) -> Sessions:
    person, stores = _person(call), call.deployment.stores
    found = stores.sessions.of_user(person.id, MOST_SESSIONS)
    resting = call.deployment.places.resting(person.id, found, MOST_SESSIONS)
    items, browsers = ([SessionState.model_validate(each) for each in lines] for lines in (found, resting))
    return Sessions(items=items, resting=browsers)


def _end_sessions(call: Call[One, Nothing]) -> Ended:
    ended = call.deployment.interventions.end_sessions(_below(call), call.event("sessions.ended"))
    return Ended(ended=ended)


def _end_session(call: Call[OneSession, Nothing]) -> None:
    found, event = _below(call), call.event("session.ended")
    if not call.deployment.places.end(found.id, call.query.session, MOST_SESSIONS, event):
        raise Problem(404, "this person has no such session, or it has ended")


def _remove_factors(call: Call[One, Nothing]) -> Removed:
    removed = call.deployment.interventions.remove_factors(_below(call), call.event("factors.removed"))
    return Removed(removed=removed)


def _disable(call: Call[One, Nothing]) -> None:
    _set_disabled(call, True, "user.disabled")


def _enable(call: Call[One, Nothing]) -> None:
    _set_disabled(call, False, "user.enabled")


def _set_disabled(call: Call[One, Nothing], disabled: bool, name: str) -> None:
    act = lock_out if disabled else let_in
    try:
        act(call.deployment.stores.users, _below(call).id, call.event(name), BULK_SECONDS)
    except (LastOwner, StillEnding) as refused:
        raise Problem(409, str(refused)) from None


def _change_role(call: Call[One, NewRole]) -> None:
    found, role = _below(call), call.body.role
    if not STANDS_AS.stands_over(role):
        raise Problem(409, "only an owner makes owners and admins, in the console or by 'authserver user role'")
    event = call.event("user.role_changed")
    if found.role is not role and not call.deployment.stores.users.set_role(found.id, role, found.role, event):
        raise Problem(412, CHANGED)


def _change_groups(call: Call[One, NewGroups]) -> None:
    _below(call)
    found: Found = call.seen
    if not all(map(is_group_name, call.body.groups)):
        raise Problem(400, f"a group's name has 1 to {MOST_GROUP_NAME} printable characters")
    changed = call.deployment.stores.groups.exchange(
        found.user.id, found.groups, set(call.body.groups), call.event("group.joined")
    )
    if not changed:
        raise Problem(412, CHANGED)


def _below(call: AboutOne) -> User:
    found: User = call.seen.user if call.seen else _person(call)
    if not STANDS_AS.stands_over(found.role):
        raise Problem(409, "only an owner acts on owners and admins, in the console or by 'authserver user'")
    return found


def _person(call: AboutOne) -> User:
    found = call.deployment.stores.users.find(call.query.id)
    if found is None:
        raise Problem(404, "there is no person of this id")
    return found


def _found(call: AboutOne) -> Found:
    user = _person(call)
    return Found(user, call.deployment.stores.groups.of(user.id))


def _state(found: Found) -> OnePerson:
    return OnePerson(**_said(found.user), groups=list(found.groups))


def _said(found: User) -> dict[str, object]:
    return {name: getattr(found, name) for name in PersonState.model_fields}


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/people", Permission.PEOPLE_READ, "People, newest first", Searching, PersonPage, _list),
    reading("/person", Permission.PEOPLE_READ, "One person", One, OnePerson, _one),
    reading("/person/sessions", Permission.PEOPLE_READ, "Where a person is signed in", One, Sessions, _sessions),
    acting(
        "/person/sessions", Permission.SESSIONS_END, "Sign a person out everywhere", One, _end_sessions,
        method="DELETE", answer=Ended, problems=(409,),
    ),
    acting(
        "/person/session", Permission.SESSIONS_END,
        "End one session of a person, or let one browser stay signed in no longer", OneSession, _end_session,
        method="DELETE", problems=(409,),
    ),
    acting(
        "/person/disable", Permission.PEOPLE_EDIT, "Lock a person out, with an end to all that is theirs", One,
        _disable, problems=(409,),
    ),
    acting(
        "/person/factors", Permission.PEOPLE_EDIT, "Remove the second factors that a person has lost", One,
        _remove_factors, method="DELETE", answer=Removed, problems=(409,),
    ),
    acting("/person/enable", Permission.PEOPLE_EDIT, "Let a person in again", One, _enable, problems=(409,)),
    Operation(
        "PUT", "/person/role", Permission.PEOPLE_ROLES, "Give a person another role", _change_role, One, NewRole,
        find=_found, shows=_state, seen=True, problems=(409,),
    ),
    Operation(
        "PUT", "/person/groups", Permission.PEOPLE_ROLES, "Put a person into groups, and out of all others",
        _change_groups, One, NewGroups, find=_found, shows=_state, seen=True, problems=(409,),
    ),
)  # fmt: skip
