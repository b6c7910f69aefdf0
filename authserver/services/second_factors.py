"""Second factors of one deployment: who may have one, who must, and what judges them."""

from dataclasses import dataclass
from functools import partial

from ..accounts.challenges import Challenges
from ..accounts.factors import Factors
from ..accounts.half_sign_ins import HalfSignIns
from ..accounts.letters import Letters
from ..accounts.passkeys import Passkeys
from ..keys.sealing import Vault
from ..protocol.role import Role
from ..settings import Settings
from ..settings.people import SecondFactor
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
