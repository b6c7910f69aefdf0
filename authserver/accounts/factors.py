"""Authenticator apps and recovery codes: set up by their person, and judged when they are owed."""

import time
from dataclasses import dataclass

from ..keys.sealing import Vault
from ..protocol import credential
from ..protocol.audit import Event, Origin
from ..store.audit import AuditStore
from ..store.factors import Factor, FactorStore, Kind, NewFactor, RecoveryCodeStore
from ..store.throttles import MustWait, ThrottleStore
from ..store.user import User
from . import one_time_codes, recovery_codes
from .delays import growing
from .errors import TooManyAttempts, WrongFactor
from .letters import APP_ADDED, CODE_USED, CODES_REPLACED, Letters

FREE_FAILURES = 3
BATCH = 500
LONGEST_DELAY = 15 * 60  # seconds; whoever gets here has the password, so no stranger locks anybody out


@dataclass(frozen=True, slots=True)
class Factors:
    """Factors of the people of one deployment. ``delay`` is what the first delayed failure costs, in seconds."""

    store: FactorStore
    recovery: RecoveryCodeStore
    throttles: ThrottleStore
    audit: AuditStore
    letters: Letters
    vault: Vault
    delay: float

    def begin_app(self, user: User, name: str) -> None:
        """Make a secret for a new authenticator app of *user*, which counts once it has shown a code."""
        factor_id = credential.identifier()
        sealed = self.vault.seal(one_time_codes.new_secret().encode(), _context(factor_id))
        self.store.begin(user.id, factor_id, NewFactor(Kind.APP, name, sealed))

    def secret_to_show(self, user: User) -> str | None:
        """The secret of the app that *user* is setting up, in base32; None if they are not."""
        begun = self.store.unconfirmed(user.id, Kind.APP)
        return self._secret(begun) if begun else None

    def confirm_app(self, user: User, code: str, origin: Origin) -> bool:
        """Let the app that *user* is setting up count, as it shows *code*. False if that is not its code."""
        begun = self.store.unconfirmed(user.id, Kind.APP)
        step = one_time_codes.step(self._secret(begun), _digits(code), time.time()) if begun else None
        if begun is None or step is None:
            return False
        letter = self.letters.way_in_changed(user, APP_ADDED, origin)
        return self.store.confirm(begun.id, step, _event("factor.added", user, origin, begun.kind), letter)

    def judge(self, user: User, typed: str, origin: Origin) -> None:
        """Nothing, if *typed* is a code of an app of *user*, or a recovery code, and was not used before.

        Raises `WrongFactor`, or `TooManyAttempts`: while delayed, not even the right code opens.
        """
        key = f"factor:{user.id}"
        try:
            self.throttles.admit({key: growing(self.delay, FREE_FAILURES, LONGEST_DELAY)})
        except MustWait as delayed:
            raise TooManyAttempts(delayed.seconds) from None
        if not (self._is_of_app(user, _digits(typed), origin) or self._is_recovery(user, typed, origin)):
            failed = _event("sign_in.failed", user, origin, Kind.APP)
            self.audit.write(failed.about(outcome="refused"))
            raise WrongFactor
        self.throttles.cleared((key,))

    def new_recovery_codes(self, user: User, origin: Origin) -> tuple[str, ...]:
        """Ten codes to show once, in place of those until now."""
        codes = recovery_codes.mint()
        event = Event("recovery_codes.made", f"user:{user.id}", origin, user_id=user.id)
        letter = self.letters.way_in_changed(user, CODES_REPLACED, origin)
        self.recovery.replace(user.id, (recovery_codes.digest(user.id, code) for code in codes), event, letter)
        return codes

    def reseal(self) -> int:
        """Seal the secrets of all apps under the newest root secret, where they are not. Returns how many were."""
        done, after = 0, ""
        while found := self.store.apps(after, BATCH):
            after = found[-1].id
            for factor in found:
                if not self.vault.is_newest(factor.secret, _context(factor.id)):
                    secret = self._secret(factor).encode()
                    done += self.store.reseal(factor, self.vault.seal(secret, _context(factor.id)))
        return done

    def _is_of_app(self, user: User, code: str, origin: Origin) -> bool:
        for factor in self.store.of_user(user.id):
            if factor.kind is Kind.APP:
                step = one_time_codes.step(self._secret(factor), code, time.time())
                if step is not None:
                    return self.store.use(factor, step, _event("factor.used", user, origin, factor.kind))
        return False

    def _is_recovery(self, user: User, typed: str, origin: Origin) -> bool:
        if recovery_codes.normal(typed) is None:
            return False
        event = Event("recovery_code.used", f"user:{user.id}", origin, user_id=user.id)
        letter = self.letters.way_in_changed(user, CODE_USED, origin)
        return self.recovery.use(user.id, recovery_codes.digest(user.id, typed), event, letter)

    def _secret(self, factor: Factor) -> str:
        return self.vault.open(factor.secret, _context(factor.id)).decode()


def _context(factor_id: str) -> str:
    return f"factor:{factor_id}"


def _digits(typed: str) -> str:
    """Apps show their codes in two groups, and people type them so."""
    return typed.replace(" ", "")


def _event(name: str, user: User, origin: Origin, kind: Kind) -> Event:
    return Event(name, f"user:{user.id}", origin, user_id=user.id, detail={"factor": kind})
