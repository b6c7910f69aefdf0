"""Which account an identity at a provider opens, and who gets a new one.

An identity is known by (issuer, subject) alone. An e-mail address decides only where the operator trusts the provider
for its domain, and then only for an account whose person proved here too that it is theirs: otherwise whoever made an
account with somebody's address would share it with them, or one provider's word would open another's people.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import structlog

from ..protocol import credential
from ..protocol.audit import Event, Origin
from ..protocol.role import Role
from ..protocol.upstream.identity import Identity
from ..settings.upstream import Upstream
from ..store.audit import AuditStore
from ..store.identities import IdentityStore, IdentityTaken
from ..store.user import User
from ..store.users import EmailTaken, LastOwner, UserExists, UserStore
from .errors import AccountDisabled, AccountExists, AnothersIdentity, NoAccount
from .letters import PROVIDER_LINKED, Letters

log = structlog.get_logger(__name__)

TRIES = 4  # at a user name that is free


@dataclass(frozen=True, slots=True)
class Identities:
    """Accounts of people who come from providers."""

    store: IdentityStore
    users: UserStore
    audit: AuditStore
    letters: Letters

    def enter(self, upstream: Upstream, identity: Identity, origin: Origin) -> User:
        """The person whose account *identity*, which is proven, opens; linked or made now where that is wanted.

        Raises `NoAccount`, `AccountExists` and `AccountDisabled`.
        """
        identity = trusted(upstream, identity)
        user = self.store.find(identity.issuer, identity.subject) or self._new(upstream, identity, origin)
        if user.disabled:
            raise AccountDisabled
        user = self._with_role(upstream, user, identity, origin)
        self.store.used(identity, _event("sign_in.succeeded", user.id, upstream, origin))
        return user

    def link(self, upstream: Upstream, identity: Identity, user: User, origin: Origin) -> None:
        """Have *identity* open the account of *user*, who is signed in; does nothing if it does so already.

        Raises `AnothersIdentity`.
        """
        identity = trusted(upstream, identity)
        owner = self.store.find(identity.issuer, identity.subject)
        try:
            if owner is None:
                letter = self.letters.way_in_changed(user, PROVIDER_LINKED, origin)
                self.store.link(user.id, identity, _event("identity.linked", user.id, upstream, origin), letter)
            elif owner.id != user.id:
                raise AnothersIdentity
        except IdentityTaken:
            self.link(upstream, identity, user, origin)  # just now: whose it is, the row tells

    def is_of(self, identity: Identity, user: User) -> bool:
        """Whether *identity* opens the account of *user*."""
        owner = self.store.find(identity.issuer, identity.subject)
        return owner is not None and owner.id == user.id

    def _new(self, upstream: Upstream, identity: Identity, origin: Origin) -> User:
        event = _event("identity.linked", None, upstream, origin)
        try:
            if identity.email and (found := self.store.link_by_address(identity, event)):
                return found
            return self._created(upstream, identity, origin)
        except (IdentityTaken, AccountExists) as refused:  # perhaps by the same person's other tab
            found = self.store.find(identity.issuer, identity.subject)
            if found is None:
                raise (refused if isinstance(refused, AccountExists) else NoAccount) from None
            return found

    def _created(self, upstream: Upstream, identity: Identity, origin: Origin) -> User:
        if identity.email and self.store.knows(identity.email, identity.email):
            raise AccountExists
        if not upstream.create_accounts:
            raise NoAccount
        role = upstream.role(identity.groups) or Role.MEMBER
        event = _event("user.added", None, upstream, origin)
        for username in _names(upstream, identity):
            try:
                return self.store.create(username, identity.name or username, role, identity, event)
            except UserExists:
                continue
            except EmailTaken:  # since it was looked for
                break
        raise AccountExists

    def _with_role(self, upstream: Upstream, user: User, identity: Identity, origin: Origin) -> User:
        """*user* with the role that their groups give. Owners are made and unmade here, unless a group makes them."""
        role = upstream.role(identity.groups)
        if role in {None, user.role} or (user.role is Role.OWNER and Role.OWNER not in upstream.roles.values()):
            return user
        event = _event("user.role_changed", None, upstream, origin)  # by the settings, not by the person
        try:
            self.users.set_role(user.id, role, user.role, event)
        except LastOwner:
            log.warning("the last owner stays one", user_id=user.id, upstream=upstream.id)
        return self.users.find(user.id) or user


def trusted(upstream: Upstream, identity: Identity) -> Identity:
    """*identity* without its e-mail address, unless the provider is trusted for the address's domain."""
    return identity if identity.domain in upstream.trusted_domains else replace(identity, email=None)


def _names(upstream: Upstream, identity: Identity) -> Iterator[str]:
    """User names for a new account, the best first.

    A proven address is nobody else's. What people are called there they may choose themselves, so it is said whose
    name that is: rules of policy may name people, and nobody becomes one of them by calling themselves so.
    """
    if identity.email:
        yield identity.email
        return
    chosen = "".join(each for each in identity.login.casefold() if each.isascii() and (each.isalnum() or each in "-._"))
    for number in range(1, TRIES):
        if chosen:
            yield f"{chosen[:60]}{f'-{number}' if number > 1 else ''}@{upstream.id}"
    yield f"{credential.identifier().casefold()}@{upstream.id}"


def _event(name: str, user_id: str | None, upstream: Upstream, origin: Origin) -> Event:
    actor = f"user:{user_id}" if user_id else "system"
    return Event(name, actor, origin, user_id=user_id, detail={"upstream": upstream.id})
