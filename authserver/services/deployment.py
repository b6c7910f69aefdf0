"""One running deployment: what ``web`` and ``cli`` are handed. Composed in ``services.composition``."""

from dataclasses import dataclass

from ..accounts.interventions import Interventions
from ..accounts.invitations import Invitations
from ..accounts.own_account import OwnAccount
from ..accounts.places import Places
from ..accounts.post import Post
from ..accounts.remembered import RememberedBrowsers
from ..accounts.sessions import Sessions
from ..accounts.sign_in import SignIn
from ..keys.keyring import Keyring
from ..keys.roots import RootSecrets
from ..keys.rotation import Rotation
from ..keys.sealing import Vault
from ..settings import Settings
from ..store.shared_ceilings import SharedCeilings
from ..store.stores import Stores
from .alerts.watch import Watch
from .approvals.queue import Approvals
from .attention import Attention
from .authorization import AuthorizationService
from .call_ceilings import CallCeilings
from .connections import Connections
from .doctor.registered import ServerDoctor
from .introspection import Introspection
from .known_clients import KnownClients
from .monitoring.readiness import Readiness
from .notices.delivery import Delivery
from .policy.policies import Policies
from .reaper import Reaper
from .registration import Registration
from .revocation import Revocation
from .second_factors import SecondFactors
from .status_lists import StatusLists
from .token import TokenEndpoint
from .tool_catalogue.inquiry import Inquiry
from .tool_catalogue.publication import Publication
from .tool_permissions import ToolPermissions
from .tool_receipts import ToolReceipts
from .traces.timeline import Timelines
from .traces.tracing import Tracing
from .trail.sealer import Sealer
from .trail.streaming import Streams
from .upstream.sign_in import UpstreamSignIn


@dataclass(frozen=True, slots=True)
class Deployment:
    """Settings, state and use cases of one authorization server."""

    settings: Settings
    stores: Stores
    vault: Vault
    roots: RootSecrets
    keyring: Keyring
    rotation: Rotation
    sign_in: SignIn
    sessions: Sessions
    remembered: RememberedBrowsers
    invitations: Invitations
    own_account: OwnAccount
    interventions: Interventions
    places: Places
    post: Post
    second_factors: SecondFactors
    policies: Policies
    authorization: AuthorizationService
    token: TokenEndpoint
    call_ceilings: CallCeilings
    shared_ceilings: SharedCeilings | None
    revocation: Revocation
    introspection: Introspection
    registration: Registration
    known_clients: KnownClients
    reaper: Reaper
    status_lists: StatusLists
    tool_permissions: ToolPermissions
    inquiry: Inquiry
    server_doctor: ServerDoctor
    publication: Publication
    tool_receipts: ToolReceipts
    connections: Connections
    sealer: Sealer
    streams: Streams
    approvals: Approvals
    attention: Attention
    watch: Watch
    delivery: Delivery
    tracing: Tracing
    timelines: Timelines
    upstream: UpstreamSignIn
    readiness: Readiness
