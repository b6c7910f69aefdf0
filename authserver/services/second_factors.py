"""Second factors of one deployment: who may have one, who must, and what judges them."""

from dataclasses import dataclass
from functools import partial

from ..accounts.challenges import Challenges
from ..accounts.factors import Factors
from ..accounts.half_sign_ins import HalfSignIns
from ..accounts.letters import Letters
from ..accounts.passkeys import Passkeys
from ..keys.sealing import Vault
from ..protocol.amr import Method
from ..protocol.role import Role
from ..settings import Settings
from ..settings.people import SecondFactor
from ..store.sessions import Session
from ..store.stores import Stores
from .ceilings import AddressLimit


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """What a deployment does about second factors; ``rule`` is the setting."""

    rule: SecondFactor
    codes: Factors
    passkeys: Passkeys
    halves: HalfSignIns

    @property
    def are_used(self) -> bool:
        """Whether people may have one, and are asked for it then."""
        return self.rule != "off"

    def must_have(self, role: Role) -> bool:
        """Whether a person of *role* does nothing here without one."""
        return self.rule == "all" or (self.rule == "admins" and role is not Role.MEMBER)

    def owes(self, session: Session) -> bool:
        """Whether who is signed in by *session* has not used the factor that they have, or has none and must."""
        if not self.are_used or Method.MULTIPLE in session.methods:
            return False
        return session.has_factor or self.must_have(session.user.role)

    def is_fresh(self, session: Session, seconds: int) -> bool:
        """Whether who is signed in by *session* proved in the last *seconds* who they are, with all factors they have.

        That is asked for before what reaches far.
        """
        owes = session.has_factor and Method.MULTIPLE not in session.methods
        return not session.recalled and session.auth_age <= seconds and not (owes and self.are_used)


def second_factors(settings: Settings, stores: Stores, vault: Vault, letters: Letters) -> SecondFactors:
    """Join them over *stores*."""
    challenges = Challenges(partial(vault.derive, "passkey challenges"), stores.used_assertions)
    return SecondFactors(
        rule=settings.second_factor,
        codes=Factors(
            store=stores.factors,
            recovery=stores.recovery_codes,
            throttles=stores.throttles,
            audit=stores.audit,
            letters=letters,
            vault=vault,
            delay=settings.failed_sign_in_delay,
        ),
        passkeys=Passkeys(
            issuer=settings.issuer,
            store=stores.factors,
            users=stores.users,
            audit=stores.audit,
            letters=letters,
            challenges=challenges,
            ceiling=AddressLimit(stores.ceilings.of("passkeys", settings.sign_ins_per_address)),
        ),
        halves=HalfSignIns(stores.half_sign_ins),
    )
