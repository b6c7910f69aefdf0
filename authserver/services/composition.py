"""The services of one deployment, joined over its stores and keys: the one module that knows all of them."""

from functools import partial
from typing import Any

from ..accounts.passwords import Passwords
from ..accounts.sessions import Sessions
from ..accounts.sign_in import SignIn
from ..keys.envelope import SuccessorEnvelope
from ..keys.keyring import Keyring
from ..keys.numbering import Numbering
from ..keys.opaque import OpaqueTokens
from ..keys.rotation import Rotation
from ..keys.sealing import Vault, vault
from ..outbound.addresses import ClientSupplied
from ..outbound.entered import EnteredFetch
from ..outbound.fetch import SafeFetch, trusting
from ..protocol import own_api
from ..protocol.domain import Decision
from ..protocol.grants import Grant
from ..protocol.grants.authorization_code import AuthorizationCodeGrant
from ..protocol.grants.client_credentials import ClientCredentialsGrant
from ..protocol.grants.refresh_token import RefreshTokenGrant
from ..protocol.registration import document
from ..protocol.trace.reference import References
from ..settings import Settings
from ..settings.group import DAY
from ..store.stores import Stores
from . import key_sets, statement_issuers
from .alerts import configured as watching
from .approvals.kinds import kinds
from .approvals.queue import Approvals
from .authorization import AuthorizationService
from .ceilings import AddressLimit, ClientLimit, RegistrationCeilings, Room
from .client_authentication import ClientAuthentication
from .connections import Connections
from .deployment import Deployment
from .doctor.registered import ServerDoctor
from .documents import Documents
from .introspection import Introspection
from .key_sets import MOST_KEY_SET, KeySets
from .known_clients import KnownClients
from .later import Later
from .metadata_documents import MetadataDocuments
from .notices import configured as notice_targets
from .notices.delivery import Delivery
from .notices.words import Words
from .policy.admission import Admission
from .policy.policies import Policies
from .reaper import Reaper
from .registration import Registration
from .revocation import Revocation
from .second_factors import second_factors
from .status_lists import StatusLists
from .token import TokenEndpoint
from .token_formats import TokenFormats
from .tool_catalogue.inquiry import Inquiry
from .tool_catalogue.publication import Publication
from .tool_details import ToolDetailing
from .tool_permissions import ToolPermissions
from .tool_receipts import ToolReceipts
from .traces.exchanges import Exchanges
from .traces.recorder import Recorder
from .traces.timeline import Timelines
from .traces.tracing import Tracing
from .trail import configured
from .trail.sealer import Sealer
from .trail.streaming import Streams
from .unusual_use import Thresholds, UnusualUse

KEYS_SECONDS = 0.5  # how long a withdrawn key may still be published: half of a guard's patience
OTHERWISE = {"any": None, "ask": Decision.ASK, "listed": Decision.DENY}


def compose(settings: Settings, stores: Stores) -> Deployment:
    """Join *stores*, keys and use cases as *settings* say."""
    safe = vault(settings.key_encryption_key.get_secret_value(), settings.home)
    keyring = Keyring(stores.keys, safe, partial(stores.epoch.current, KEYS_SECONDS))
    lists = StatusLists(settings.issuer, stores.ended, stores.epoch, keyring, Numbering(safe.derive("status lists")))
    room = Room(stores.registrations.count_unused, settings.most_unused_registrations)
    known = known_clients(settings, stores, room)
    tools = ToolDetailing(stores.resources)
    policies = Policies(
        stores.policies, stores.domains, stores.pending_grants, stores.resources, stores.refresh_tokens, stores.audit
    )
    targets = configured.targets(settings)
    who = ClientAuthentication.at(settings.issuer, stores.clients, known.keys, stores.used_assertions)
    formats = TokenFormats(
        issuer=settings.issuer,
        resources=stores.resources,
        keyring=keyring,
        opaque=OpaqueTokens(safe.derive("access tokens"), settings.issuer),
        status_lists=lists,
        algorithm=settings.access_token_algorithm,
    )
    shared: dict[str, Any] = {
        "who": who,
        "refresh_tokens": stores.refresh_tokens,
        "access_tokens": stores.access_tokens,
        "formats": formats,
    }
    words = Words(settings.issuer, stores.alerts)
    told = notice_targets.targets(settings, words)
    approvals = Approvals(kinds(settings, stores, known, policies), stores.notices, stores.audit)
    watch = watching.watch(settings, stores, approvals, [target.name for target in told])
    tracing = Tracing(References(safe.derive("traces")), Recorder(stores.traces))
    return Deployment(
        settings=settings,
        stores=stores,
        vault=safe,
        keyring=keyring,
        rotation=_rotation(settings, stores, safe),
        sign_in=_sign_in(settings, stores),
        sessions=Sessions(stores.sessions, settings.session_lifetime),
        second_factors=second_factors(settings, stores, safe),
        policies=policies,
        authorization=_authorization(settings, stores, known, policies),
        token=_token(settings, stores, formats, who, tools, policies, _exchanges(settings, stores, tracing)),
        revocation=Revocation(**shared),
        introspection=Introspection(**shared, issuer=settings.issuer, resources=stores.resources, tools=tools),
        tool_permissions=ToolPermissions(who, stores.resources, stores.tool_permissions),
        registration=_registration(settings, stores, room),
        known_clients=known,
        reaper=_reaper(settings, stores),
        status_lists=lists,
        inquiry=Inquiry(
            issuer=settings.issuer,
            keyring=keyring,
            algorithm=settings.access_token_algorithm,
            networks=settings.entered_networks,
            proxy=settings.fetch_proxy,
            trust=trusting(settings.fetch_ca_file),
        ),
        server_doctor=ServerDoctor(settings.issuer, settings.entered_networks, trusting(settings.fetch_ca_file)),
        publication=Publication(who, stores.resources, ClientLimit(settings.tool_manifests_per_guard)),
        tool_receipts=ToolReceipts(who, stores.tool_receipts, _unusual_use(settings, stores)),
        tracing=tracing,
        timelines=Timelines(tracing.references, stores.traces, stores.clients, stores.users),
        connections=Connections(stores.grants, stores.tool_calls, stores.resources, settings.unused_permission_after),
        sealer=Sealer(stores.seals, stores.streams, keyring, watch.raise_new, settings.audit_retention_days, targets),
        streams=Streams(stores.trail, stores.seals, stores.streams, targets),
        approvals=approvals,
        watch=watch,
        delivery=Delivery(stores.notices, told),
    )


def _rotation(settings: Settings, stores: Stores, safe: Vault) -> Rotation:
    return Rotation(
        stores.keys,
        safe,
        settings.access_token_algorithm,
        settings.access_token_lifetime,
        settings.next_key_lead,
    )


def _unusual_use(settings: Settings, stores: Stores) -> UnusualUse:
    thresholds = Thresholds(
        calls_factor=settings.unusual_calls_factor,
        calls_least=settings.unusual_calls_least,
        refusals=settings.unusual_refusals,
    )
    off = frozenset(settings.alerts_off)
    return UnusualUse(stores.resources, stores.clients, stores.tool_calls, stores.alerts, thresholds, off)


def _registration(settings: Settings, stores: Stores, room: Room) -> Registration:
    return Registration(
        issuer=settings.issuer,
        clients=stores.clients,
        initial_access_tokens=stores.initial_access_tokens,
        resources=stores.resources,
        mode=settings.registration,
        redirect_hosts=settings.allowed_redirect_hosts,
        ceilings=RegistrationCeilings(
            on_device=AddressLimit(settings.registrations_per_address),
            hosted=AddressLimit(settings.hosted_registrations_per_address),
            flood=AddressLimit(settings.registration_flood_per_address),
            room=room,
        ),
        share=settings.share_identical_registrations,
        statements=statement_issuers.trusted(settings),
    )


def _reaper(settings: Settings, stores: Stores) -> Reaper:
    # Whoever still has tokens was allowed them within a family's lifetime.
    idle = settings.idle_registration_lifetime
    return Reaper(
        registrations=stores.registrations,
        unused_lifetime=settings.unused_registration_lifetime,
        idle_lifetime=max(idle, settings.refresh_family_lifetime + DAY) if idle else 0,
        most_unused=settings.most_unused_registrations,
    )


def _sign_in(settings: Settings, stores: Stores) -> SignIn:
    return SignIn(
        users=stores.users,
        throttles=stores.throttles,
        audit=stores.audit,
        passwords=Passwords(settings.password_hash_slots),
        ceiling=AddressLimit(settings.sign_ins_per_address),
        delay=settings.failed_sign_in_delay,
    )


def known_clients(settings: Settings, stores: Stores, room: Room) -> KnownClients:
    """How clients are known, and how what they publish is fetched. No fetch happens here."""
    policy = ClientSupplied(settings.pinned_hosts)
    told: dict[str, Any] = {"proxy": settings.fetch_proxy, "trust": trusting(settings.fetch_ca_file)}
    large: dict[str, Any] = {**told, "most_bytes": MOST_KEY_SET}
    entered = EnteredFetch(settings.entered_networks, **large)
    keys = KeySets(
        strangers=Documents(stores.fetched, SafeFetch(policy, **large), key_sets.read, prefix="keys:"),
        entered=Documents(stores.fetched, entered, key_sets.read, prefix="entered:"),
        later=Later(),
        entered_later=Later(),
    )
    documents = MetadataDocuments(
        clients=stores.clients,
        domains=stores.domains,
        documents=Documents(stores.fetched, SafeFetch(policy, **told), document.read),
        policy=policy,
        limit=AddressLimit(settings.metadata_document_fetches_per_address),
        room=room,
        otherwise=OTHERWISE[settings.metadata_document_domains],
        holds_changes=settings.metadata_document_changes == "hold",
    )
    return KnownClients(stores.clients, documents if settings.metadata_documents else None, keys)


def _authorization(settings: Settings, stores: Stores, known: KnownClients, policies: Policies) -> AuthorizationService:
    return AuthorizationService(
        issuer=settings.issuer,
        clients=known,
        resources=stores.resources,
        registered_clients=stores.clients,
        grants=stores.grants,
        tool_permissions=stores.tool_permissions,
        audit=stores.audit,
        code_lifetime=settings.authorization_code_lifetime,
        redirect_hosts=settings.allowed_redirect_hosts,
        admission=Admission(policies, stores.pending_grants, settings.fresh_sign_in, settings.pending_grant_lifetime),
    )


def _exchanges(settings: Settings, stores: Stores, tracing: Tracing) -> Exchanges:
    return Exchanges(
        references=tracing.references,
        recorder=tracing.recorder,
        codes=stores.codes,
        refresh_tokens=stores.refresh_tokens,
        resources=stores.resources,
        window=settings.refresh_retry_window,
    )


def _token(
    settings: Settings,
    stores: Stores,
    formats: TokenFormats,
    who: ClientAuthentication,
    tools: ToolDetailing,
    policies: Policies,
    traces: Exchanges,
) -> TokenEndpoint:
    codes = AuthorizationCodeGrant(
        stores.codes, stores.refresh_tokens, settings.refresh_token_lifetime, settings.refresh_family_lifetime
    )
    refreshes = RefreshTokenGrant(
        stores.refresh_tokens,
        SuccessorEnvelope(),
        settings.refresh_token_lifetime,
        settings.refresh_retry_window,
    )
    own = ClientCredentialsGrant(stores.resources, stores.access_tokens, own_api.identifier(settings.issuer), policies)
    grants: tuple[Grant, ...] = (codes, refreshes, own)
    return TokenEndpoint(
        issuer=settings.issuer,
        who=who,
        resources=stores.resources,
        grants={grant.grant_type: grant for grant in grants},
        tools=tools,
        policies=policies,
        traces=traces,
        formats=formats,
        lifetime=settings.access_token_lifetime,
    )
