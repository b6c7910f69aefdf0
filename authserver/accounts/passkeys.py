"""Passkeys (WebAuthn level 3): kept by their person's device, and enough alone, since the device asks who is there."""

import ipaddress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, options_to_json_dict, parse_client_data_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from ..protocol import strict_json
from ..protocol.audit import Event, Origin
from ..protocol.errors import SlowDown
from ..store.audit import AuditStore
from ..store.factors import Factor, FactorStore, Kind, NewFactor
from ..store.user import User
from ..store.users import UserStore
from .challenges import LIFETIME, Challenges
from .errors import TooManyAttempts, WrongFactor
from .letters import PASSKEY_ADDED, Letters
from .sign_in import Ceiling

REQUIRED = UserVerificationRequirement.REQUIRED
MOST_CHARACTERS = 16_384


@dataclass(frozen=True, slots=True)
class Passkeys:
    """Adds and judges the passkeys of one deployment, which has the public URL ``issuer``."""

    issuer: str
    store: FactorStore
    users: UserStore
    audit: AuditStore
    letters: Letters
    challenges: Challenges
    ceiling: Ceiling

    @property
    def are_possible(self) -> bool:
        """Whether browsers make passkeys for this site: they do for a name, and for no address (WebAuthn §5.1.3)."""
        try:
            ipaddress.ip_address(self._site.strip("[]"))
        except ValueError:
            return True
        return False

    def to_add(self, user: User, purpose: str) -> dict[str, Any]:
        """What a browser is to be asked for a new passkey of *user*: the JSON of `PublicKeyCredentialCreationOptions`.

        The answer is good for *purpose* alone.
        """
        options = webauthn.generate_registration_options(
            rp_id=self._site,
            rp_name=self._site,
            user_id=user.id.encode(),
            user_name=user.username,
            user_display_name=user.display_name,
            challenge=self.challenges.new(f"add {purpose}"),
            timeout=LIFETIME * 1000,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=REQUIRED
            ),
            exclude_credentials=self._of(user),
        )
        return options_to_json_dict(options)

    def add(self, user: User, name: str, sent: str, purpose: str, origin: Origin) -> None:
        """Keep the passkey that a browser *sent* for `to_add`. Raises `WrongFactor`, and `PasskeyExists`."""
        found = _read(sent)
        challenge = self._challenge(found, f"add {purpose}")
        try:
            made = webauthn.verify_registration_response(
                credential=found,
                expected_challenge=challenge,
                expected_rp_id=self._site,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except Exception as unfit:  # whatever the library makes of such bytes
            raise WrongFactor from unfit
        self._use(challenge)
        new = NewFactor(Kind.PASSKEY, name, made.credential_public_key, made.sign_count, made.credential_id)
        letter = self.letters.way_in_changed(user, PASSKEY_ADDED, origin)
        self.store.add(user.id, new, _event("factor.added", user.id, origin), letter)

    def to_ask(self, purpose: str, user: User | None = None) -> dict[str, Any]:
        """What a browser is to be asked for a passkey, of *user* or of whoever is there.

        The JSON of `PublicKeyCredentialRequestOptions`; the answer is good for *purpose* alone.
        """
        options = webauthn.generate_authentication_options(
            rp_id=self._site,
            challenge=self.challenges.new(f"ask {purpose}"),
            timeout=LIFETIME * 1000,
            allow_credentials=self._of(user) if user else None,
            user_verification=REQUIRED,
        )
        return options_to_json_dict(options)

    def judge(self, sent: str, purpose: str, origin: Origin) -> User:
        """The person whose passkey answered `to_ask` with what a browser *sent*.

        Raises `WrongFactor`, and `TooManyAttempts` for more from one address than anybody needs. No delay of an account
        is asked: nobody guesses a key, and so a live passkey opens what guesses have slowed.
        """
        try:
            self.ceiling.count(origin)
        except SlowDown as full:
            raise TooManyAttempts(full.retry_after or 1) from None
        found = _read(sent)
        factor = self.store.by_credential(_bytes(found, "rawId"))
        try:
            if factor is None:
                raise WrongFactor
            return self._judge(found, factor, self._challenge(found, f"ask {purpose}"), origin)
        except WrongFactor:
            failed = _event("sign_in.failed", factor.user_id if factor else None, origin)
            self.audit.write(failed.about(outcome="refused"))
            raise

    def _judge(self, found: dict[str, Any], factor: Factor, challenge: bytes, origin: Origin) -> User:
        user = self.users.find(factor.user_id)
        if user is None or user.disabled or not _may_be_of(user, found):
            raise WrongFactor
        try:
            signed = webauthn.verify_authentication_response(
                credential=found,
                expected_challenge=challenge,
                expected_rp_id=self._site,
                expected_origin=self._origin,
                credential_public_key=factor.secret,
                credential_current_sign_count=factor.counter,
                require_user_verification=True,
            )
        except Exception as unfit:  # whatever the library makes of such bytes
            raise WrongFactor from unfit
        self._use(challenge)
        if not self.store.use(factor, signed.new_sign_count, _event("factor.used", user.id, origin)):
            raise WrongFactor
        return user

    def _challenge(self, found: dict[str, Any], purpose: str) -> bytes:
        """The challenge that a browser's answer says it is for. Raises `WrongFactor` unless it is ours."""
        try:
            challenge = parse_client_data_json(_bytes(found["response"], "clientDataJSON")).challenge
        except Exception as unfit:  # whatever the library makes of such bytes
            raise WrongFactor from unfit
        if not self.challenges.is_ours(challenge, purpose):
            raise WrongFactor
        return challenge

    def _use(self, challenge: bytes) -> None:
        if not self.challenges.use(challenge):
            raise WrongFactor

    def _of(self, user: User) -> list[PublicKeyCredentialDescriptor]:
        """The passkeys of *user*, as browsers are told of them."""
        ids = (factor.credential_id for factor in self.store.of_user(user.id))
        return [PublicKeyCredentialDescriptor(id=each) for each in ids if each is not None]

    @property
    def _site(self) -> str:
        """What passkeys are tied to (the RP ID): the host, on any port."""
        return urlsplit(self.issuer).hostname or ""

    @property
    def _origin(self) -> str:
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"


def _read(sent: str) -> dict[str, Any]:
    """What a browser sent, as an object. Raises `WrongFactor`."""
    try:
        if len(sent) > MOST_CHARACTERS:
            raise ValueError("too long")
        return strict_json.loads(sent.encode())
    except ValueError as unreadable:
        raise WrongFactor from unreadable


def _bytes(found: dict[str, Any], name: str) -> bytes:
    """The bytes of a member in base64url. Raises `WrongFactor`."""
    try:
        return base64url_to_bytes(found[name])
    except (KeyError, TypeError, AttributeError, ValueError) as unreadable:
        raise WrongFactor from unreadable


def _may_be_of(user: User, found: dict[str, Any]) -> bool:
    """Whether the browser says that the passkey is of *user*, or nothing of it (WebAuthn §7.2, step 6)."""
    handle = found["response"].get("userHandle")
    return handle is None or _bytes(found["response"], "userHandle") == user.id.encode()


def _event(name: str, user_id: str | None, origin: Origin) -> Event:
    actor = f"user:{user_id}" if user_id else "system"
    return Event(name, actor, origin, user_id=user_id, detail={"factor": Kind.PASSKEY})
