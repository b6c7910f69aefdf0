"""All stores of one database, for whoever composes the server."""

from dataclasses import dataclass

from .access_tokens import AccessTokenStore
from .account_links import AccountLinkStore
from .alerts import AlertStore
from .api_answers import ApiAnswerStore
from .audit import AuditStore
from .ceilings import Ceilings
from .client_versions import ClientVersionStore
from .clients import ClientStore
from .codes import CodeStore
from .database import Database
from .decisions import DecisionStore
from .domains import DomainStore
from .ended import EndedStore
from .epoch import ConfigEpoch
from .factors import FactorStore, RecoveryCodeStore
from .fetched import FetchedStore
from .grant_search import GrantSearch
from .grants import GrantStore
from .groups import GroupStore
from .half_sign_ins import HalfSignInStore
from .identities import IdentityStore
from .initial_access_tokens import InitialAccessTokenStore
from .invitations import InvitationStore
from .keys import KeyStore
from .known_browsers import KnownBrowserStore
from .letters import LetterStore
from .notices import NoticeStore
from .pending_grants import PendingGrantStore
from .policies import PolicyStore
from .reaping import RegistrationStore
from .recovery import RecoveryStore
from .refresh_tokens import RefreshTokenStore
from .remembered import RememberedStore
from .resources import ResourceStore
from .roots import RootStore
from .seals import SealStore
from .sessions import SessionStore
from .streams import StreamStore
from .tallies import TallyStore
from .throttles import ThrottleStore
from .tool_calls import ToolCallStore
from .tool_permissions import ToolPermissionStore
from .tool_receipts import ToolReceiptStore
from .traces import TraceStore
from .trail import TrailStore
from .upstream_attempts import UpstreamAttemptStore
from .used_assertions import UsedAssertionStore
from .users import UserStore
from .watching import WatchStore

SESSION_IDLE_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Stores:
    """One store per aggregate, and the database and the epoch that they share."""

    database: Database
    epoch: ConfigEpoch
    ceilings: Ceilings
    clients: ClientStore
    decisions: DecisionStore
    initial_access_tokens: InitialAccessTokenStore
    registrations: RegistrationStore
    resources: ResourceStore
    codes: CodeStore
    refresh_tokens: RefreshTokenStore
    access_tokens: AccessTokenStore
    grants: GrantStore
    grant_search: GrantSearch
    users: UserStore
    invitations: InvitationStore
    account_links: AccountLinkStore
    letters: LetterStore
    sessions: SessionStore
    remembered: RememberedStore
    known_browsers: KnownBrowserStore
    identities: IdentityStore
    upstream_attempts: UpstreamAttemptStore
    factors: FactorStore
    recovery: RecoveryStore
    recovery_codes: RecoveryCodeStore
    half_sign_ins: HalfSignInStore
    throttles: ThrottleStore
    tool_permissions: ToolPermissionStore
    used_assertions: UsedAssertionStore
    ended: EndedStore
    keys: KeyStore
    roots: RootStore
    fetched: FetchedStore
    domains: DomainStore
    policies: PolicyStore
    groups: GroupStore
    pending_grants: PendingGrantStore
    tool_receipts: ToolReceiptStore
    tool_calls: ToolCallStore
    alerts: AlertStore
    notices: NoticeStore
    watch: WatchStore
    traces: TraceStore
    api_answers: ApiAnswerStore
    audit: AuditStore
    trail: TrailStore
    seals: SealStore
    streams: StreamStore
    tallies: TallyStore
    client_versions: ClientVersionStore

    @classmethod
    def over(cls, database: Database, *, session_idle: int = SESSION_IDLE_SECONDS) -> "Stores":
        """The stores of *database*. Sessions end after *session_idle* seconds without a request."""
        epoch = ConfigEpoch(database)
        return cls(
            database=database,
            epoch=epoch,
            ceilings=Ceilings(),
            clients=ClientStore(database, epoch),
            decisions=DecisionStore(database),
            initial_access_tokens=InitialAccessTokenStore(database),
            registrations=RegistrationStore(database, epoch),
            resources=ResourceStore(database, epoch),
            codes=CodeStore(database),
            refresh_tokens=RefreshTokenStore(database),
            access_tokens=AccessTokenStore(database),
            grants=GrantStore(database),
            grant_search=GrantSearch(database),
            users=UserStore(database),
            invitations=InvitationStore(database),
            account_links=AccountLinkStore(database),
            letters=LetterStore(database),
            sessions=SessionStore(database, session_idle),
            remembered=RememberedStore(database),
            known_browsers=KnownBrowserStore(database),
            identities=IdentityStore(database),
            upstream_attempts=UpstreamAttemptStore(database),
            factors=FactorStore(database),
            recovery=RecoveryStore(database),
            recovery_codes=RecoveryCodeStore(database),
            half_sign_ins=HalfSignInStore(database),
            throttles=ThrottleStore(database),
            tool_permissions=ToolPermissionStore(database),
            used_assertions=UsedAssertionStore(database),
            ended=EndedStore(database),
            keys=KeyStore(database, epoch),
            roots=RootStore(database, epoch),
            fetched=FetchedStore(database, epoch),
            domains=DomainStore(database, epoch),
            policies=PolicyStore(database, epoch),
            groups=GroupStore(database, epoch),
            pending_grants=PendingGrantStore(database, epoch),
            tool_receipts=ToolReceiptStore(database),
            tool_calls=ToolCallStore(database),
            alerts=AlertStore(database),
            notices=NoticeStore(database),
            watch=WatchStore(database),
            traces=TraceStore(database),
            api_answers=ApiAnswerStore(database),
            audit=AuditStore(database),
            trail=TrailStore(database),
            seals=SealStore(database),
            streams=StreamStore(database),
            tallies=TallyStore(database),
            client_versions=ClientVersionStore(database),
        )
