"""The use cases about people's own accounts, joined over stores, mail and the rules for passwords."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from ..accounts.breached import BreachedPasswords
from ..accounts.interventions import Interventions
from ..accounts.invitations import Invitations
from ..accounts.letters import Letters
from ..accounts.own_account import OwnAccount
from ..accounts.password_rules import PasswordRules
from ..accounts.passwords import Passwords
from ..accounts.places import Places
from ..accounts.post import Post
from ..accounts.sign_in import SignIn
from ..keys.sealing import Vault
from ..settings import Settings
from ..store.stores import Stores
from .ceilings import AddressLimit
from .notices.configured import outgoing

KEPT_THREADS = 2  # of each worker, for all who do not sign in


@dataclass(frozen=True, slots=True)
class Accounts:
    """How people get in, and what they are mailed."""

    sign_in: SignIn
    invitations: Invitations
    own: OwnAccount
    post: Post
    interventions: Interventions
    places: Places


def accounts(settings: Settings, stores: Stores, safe: Vault) -> Accounts:
    """Join them as *settings* say."""
    slots = settings.password_hash_slots
    passwords, rules = Passwords(slots, room=max(slots, settings.threads - KEPT_THREADS)), _rules(settings)
    letters = Letters(settings.issuer, safe, settings.sends_mail)
    sign_in = SignIn(
        users=stores.users,
        known=stores.known_browsers,
        throttles=stores.throttles,
        audit=stores.audit,
        passwords=passwords,
        ceiling=AddressLimit(stores.ceilings.of("sign-ins", settings.sign_ins_per_address)),
        delay=settings.failed_sign_in_delay,
    )
    own = OwnAccount(
        links=stores.account_links,
        waiting=stores.letters,
        letters=letters,
        throttles=stores.throttles,
        sign_in=sign_in,
        rules=rules,
        lifetime=settings.account_link_lifetime,
    )
    return Accounts(
        sign_in=sign_in,
        invitations=Invitations(stores.invitations, letters, passwords, rules, settings.invitation_lifetime),
        own=own,
        post=Post(stores.letters, stores.users, own, outgoing(settings)),
        interventions=Interventions(stores.sessions, stores.factors, letters),
        places=Places(stores.sessions, stores.remembered),
    )


def _rules(settings: Settings) -> PasswordRules:
    file = settings.breached_passwords_file
    return PasswordRules(urlsplit(settings.issuer).hostname or "", BreachedPasswords(file) if file else None)
