"""Signing in with an identity provider, there and back.

There: an attempt is remembered, by digests alone, and the browser sent off. Back: 1. whose attempt it is, once,
2. which provider answers, 3. whether it says no, 4. who the person is, 5. whether they have what the operator demands,
6. which account that opens. A step that fails ends it, and nothing has been made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...accounts.errors import AccountDisabled, IdentityRefused
from ...accounts.identities import Identities
from ...protocol.audit import Event, Origin
from ...protocol.upstream import attempt as attempts
from ...protocol.upstream import identity
from ...protocol.upstream.attempt import Answer, Attempt
from ...protocol.upstream.flaw import Unbelievable
from ...settings.upstream import Upstream
from ...store.sessions import Session
from ...store.upstream_attempts import Purpose, UpstreamAttempt, UpstreamAttemptStore
from ...store.user import User
from ..ceilings import AddressLimit
from .errors import Another, Declined, Down, NotBegun, Unmet, UpstreamError
from .way import Asked, Proven, Way

LIFETIME = 600  # seconds for a person to sign in there


@dataclass(frozen=True, slots=True)
class Wanted:
    """Why somebody is sent there, where they go on to, who is signed in here, and the address that they gave.

    ``languages`` are those that they are to be asked in, the most wanted first, between spaces.
    """

    page: str
    purpose: Purpose = Purpose.SIGN_IN
    session: Session | None = None
    hint: str = ""
    anew: bool = False
    languages: str = ""


@dataclass(frozen=True, slots=True)
class Arrived:
    """Somebody who came back, with the account that is theirs; they proved who they are ``age`` seconds ago."""

    user: User
    upstream: Upstream
    purpose: Purpose
    page: str
    age: int


@dataclass(frozen=True, slots=True)
class UpstreamSignIn:
    """The providers of one deployment, by id. ``key`` makes the secrets of attempts, ``issuer`` is this server's."""

    upstreams: Mapping[str, Upstream]
    ways: Mapping[str, Way]
    attempts: UpstreamAttemptStore
    identities: Identities
    limit: AddressLimit
    issuer: str
    key: Callable[[], bytes]

    def of_address(self, email: str) -> Upstream | None:
        """The provider that people with that e-mail address are sent to."""
        domain = email.strip().casefold().rpartition("@")[2]
        return next((each for each in self.upstreams.values() if domain in each.domains), None)

    def again(self, user: User) -> tuple[Upstream, ...]:
        """The providers where *user* can prove anew who they are."""
        issuers = {each.issuer for each in self.identities.store.of_user(user.id)}
        return tuple(each for each in self.upstreams.values() if each.home in issuers and each.kind == "oidc")

    def begin(self, upstream: Upstream, wanted: Wanted, browser: bytes, origin: Origin) -> str:
        """The URL to send the *browser* to (the digest of its device cookie). Raises `Down` and `SlowDown`."""
        self.limit.count(origin)
        attempt = Attempt.fresh(self.key())
        anew = wanted.anew or wanted.purpose is Purpose.AGAIN
        asked = Asked(self.redirect_uri(upstream), wanted.hint, anew, wanted.languages)
        address = self.ways[upstream.kind].address(upstream, attempt, asked)
        session = wanted.session.digest if wanted.session else None
        begun = UpstreamAttempt(attempt.digest, browser, upstream.id, wanted.purpose, session, wanted.page)
        self.attempts.begin(begun, LIFETIME)
        return address

    def attempt(
        self, upstream: Upstream, parameters: list[tuple[str, str]], browser: bytes
    ) -> tuple[Answer, UpstreamAttempt]:
        """What came back, and the attempt that it ends: never twice. Raises `NotBegun`."""
        try:
            answer = attempts.read(parameters)
        except Unbelievable as wrong:
            raise NotBegun(f"{upstream.id}: {wrong}") from None
        begun = self.attempts.consume(Attempt.of(answer.state, self.key()).digest, browser, upstream.id)
        if begun is None:
            raise NotBegun(f"{upstream.id}: no such attempt of this browser")
        return answer, begun

    def arrive(
        self, upstream: Upstream, answer: Answer, begun: UpstreamAttempt, here: Session | None, origin: Origin
    ) -> Arrived:
        """Who came back with *answer*; *here* is the session of the browser, *begun* what ends with it.

        Raises `UpstreamError`, `IdentityRefused` and `SlowDown`; what was refused is in the trail. An outage is not:
        it would look there like an attack.
        """
        try:
            self.limit.count(origin)
            if begun.session is not None and (here is None or here.digest != begun.session):
                raise NotBegun(f"{upstream.id}: the session that asked for it is not the one of this browser")
            proven = self._proven(upstream, answer, begun)
            user = self._account(upstream, proven, begun, here, origin)
        except Down:
            raise
        except (UpstreamError, IdentityRefused) as refused:
            self._refuse(upstream, refused, here, origin)
            raise
        return Arrived(user, upstream, begun.purpose, begun.page, proven.age)

    def leave(self, upstream: Upstream, page: str) -> str | None:
        """The URL that signs out there and comes back to *page*, an absolute URL; None if there is none."""
        return self.ways[upstream.kind].leave(upstream, page)

    def redirect_uri(self, upstream: Upstream) -> str:
        """Where *upstream* sends browsers back to: a URI of its own for each, against mix-ups (RFC 9700 §4.4.2)."""
        return f"{self.issuer}/sign-in/from/{upstream.id}"

    def _proven(self, upstream: Upstream, answer: Answer, begun: UpstreamAttempt) -> Proven:
        way, attempt = self.ways[upstream.kind], Attempt.of(answer.state, self.key())
        way.check_response(upstream, answer)
        if answer.error:
            raise Declined(f"{upstream.id}: {answer.error!r:.80}")
        since = begun.created_at if begun.purpose is Purpose.AGAIN else None
        proven = way.proven(upstream, attempt, answer, self.redirect_uri(upstream), since)
        missing = identity.unmet(proven.claims, upstream.claims)
        if missing is not None:
            raise Unmet(f"{upstream.id}: the claim {missing} is not as required")
        return proven

    def _account(
        self, upstream: Upstream, proven: Proven, begun: UpstreamAttempt, here: Session | None, origin: Origin
    ) -> User:
        if here is None or begun.purpose is Purpose.SIGN_IN:
            return self.identities.enter(upstream, proven.identity, origin)
        if here.user.disabled:
            raise AccountDisabled
        if begun.purpose is Purpose.LINK:
            self.identities.link(upstream, proven.identity, here.user, origin)
        elif not self.identities.is_of(proven.identity, here.user):
            raise Another(f"{upstream.id}: the identity is not that of who is signed in")
        return here.user

    def _refuse(self, upstream: Upstream, why: Exception, here: Session | None, origin: Origin) -> None:
        actor = f"user:{here.user.id}" if here else "system"
        told = {"upstream": upstream.id, "why": type(why).__name__}
        failed = Event("sign_in.failed", actor, origin, outcome="refused", detail=told)
        self.identities.audit.write(failed)
