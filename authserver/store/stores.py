"""All stores of one database, for whoever composes the server."""

from dataclasses import dataclass

from .access_tokens import AccessTokenStore
from .alerts import AlertStore
from .audit import AuditStore
from .clients import ClientStore
from .codes import CodeStore
from .database import Database
from .domains import DomainStore
from .ended import EndedStore
from .epoch import ConfigEpoch
from .fetched import FetchedStore
from .grants import GrantStore
from .groups import GroupStore
from .initial_access_tokens import InitialAccessTokenStore
from .keys import KeyStore
from .pending_grants import PendingGrantStore
from .policies import PolicyStore
from .reaping import RegistrationStore
from .refresh_tokens import RefreshTokenStore
from .resources import ResourceStore
from .seals import SealStore
from .sessions import SessionStore
from .streams import StreamStore
from .throttles import ThrottleStore
from .tool_calls import ToolCallStore
from .tool_permissions import ToolPermissionStore
from .tool_receipts import ToolReceiptStore
from .traces import TraceStore
from .trail import TrailStore
from .used_assertions import UsedAssertionStore
from .users import UserStore

SESSION_IDLE_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Stores:
    """One store per aggregate, and the database and the epoch that they share."""

    database: Database
    epoch: ConfigEpoch
    clients: ClientStore
    initial_access_tokens: InitialAccessTokenStore
    registrations: RegistrationStore
    resources: ResourceStore
    codes: CodeStore
    refresh_tokens: RefreshTokenStore
    access_tokens: AccessTokenStore
    grants: GrantStore
    users: UserStore
    sessions: SessionStore
    throttles: ThrottleStore
    tool_permissions: ToolPermissionStore
    used_assertions: UsedAssertionStore
    ended: EndedStore
    keys: KeyStore
    fetched: FetchedStore
    domains: DomainStore
    policies: PolicyStore
    groups: GroupStore
    pending_grants: PendingGrantStore
    tool_receipts: ToolReceiptStore
    tool_calls: ToolCallStore
    alerts: AlertStore
    traces: TraceStore
    audit: AuditStore
    trail: TrailStore
    seals: SealStore
    streams: StreamStore

    @classmethod
    def over(cls, database: Database, *, session_idle: int = SESSION_IDLE_SECONDS) -> "Stores":
        """The stores of *database*. Sessions end after *session_idle* seconds without a request."""
        epoch = ConfigEpoch(database)
        return cls(
            database=database,
            epoch=epoch,
            clients=ClientStore(database, epoch),
            initial_access_tokens=InitialAccessTokenStore(database),
            registrations=RegistrationStore(database, epoch),
            resources=ResourceStore(database, epoch),
            codes=CodeStore(database),
            refresh_tokens=RefreshTokenStore(database),
            access_tokens=AccessTokenStore(database),
            grants=GrantStore(database),
            users=UserStore(database),
            sessions=SessionStore(database, session_idle),
            throttles=ThrottleStore(database),
            tool_permissions=ToolPermissionStore(database),
            used_assertions=UsedAssertionStore(database),
            ended=EndedStore(database),
            keys=KeyStore(database, epoch),
            fetched=FetchedStore(database, epoch),
            domains=DomainStore(database, epoch),
            policies=PolicyStore(database, epoch),
            groups=GroupStore(database, epoch),
            pending_grants=PendingGrantStore(database, epoch),
            tool_receipts=ToolReceiptStore(database),
            tool_calls=ToolCallStore(database),
            alerts=AlertStore(database),
            traces=TraceStore(database),
            audit=AuditStore(database),
            trail=TrailStore(database),
            seals=SealStore(database),
            streams=StreamStore(database),
        )
