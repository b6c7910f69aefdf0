"""The services of one deployment, joined over its stores and keys: the one module that knows all of them."""

from functools import partial
from typing import Any

from ..accounts.remembered import RememberedBrowsers
from ..accounts.sessions import Sessions
from ..keys.envelope import SuccessorEnvelope
from ..keys.keyring import Keyring
from ..keys.numbering import Numbering
from ..keys.opaque import OpaqueTokens
from ..keys.roots import RootSecrets, key_encryption_keys
from ..keys.rotation import Rotation
from ..keys.sealing import Vault
from ..keys.wrapping import KeyEncryptionKey
from ..outbound.fetch import trusting
from ..protocol import own_api
from ..protocol.grants import Grant
from ..protocol.grants.authorization_code import AuthorizationCodeGrant
from ..protocol.grants.client_credentials import ClientCredentialsGrant
from ..protocol.grants.refresh_token import RefreshTokenGrant
from ..protocol.trace.reference import References
from ..settings import Settings
from ..store.shared_ceilings import SharedCeilings
from ..store.stores import Stores
from . import clients
from .accounts import accounts
from .alerts import configured as watching
from .approvals.kinds import kinds
from .approvals.queue import Approvals
from .attention import Attention
from .authorization import AuthorizationService
from .call_ceilings import call_ceilings
from .ceilings import ClientLimit, Room
from .client_authentication import ClientAuthentication
from .connections import Connections
from .deployment import Deployment
from .doctor.registered import ServerDoctor
from .introspection import Introspection
from .known_clients import KnownClients
from .monitoring.readiness import Readiness
from .notices import configured as notice_targets
from .notices.delivery import Delivery
from .notices.words import Words
from .policy.admission import Admission
from .policy.policies import Policies
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
from .upstream import configured as upstreams

DAY = 86_400
KEYS_SECONDS = 0.5  # how long a withdrawn key may still be published: half of a guard's patience


def compose(settings: Settings, stores: Stores, *, with_secrets: bool = True) -> Deployment:
    """Join *stores*, keys and use cases as *settings* say.

    Without secrets no key-encryption key is looked for: what is sealed cannot be opened. Raises `SealError`.
    """
    epoch = partial(stores.epoch.current, KEYS_SECONDS)
    roots = RootSecrets(stores.roots, stores.keys, _keks(settings) if with_secrets else (), epoch)
    safe = Vault(roots)
    keyring = Keyring(stores.keys, safe, epoch)
    numbering = Numbering(partial(safe.derive_for_life, "status lists"))
    lists = StatusLists(settings.issuer, stores.ended, stores.epoch, keyring, numbering)
    room = Room(stores.registrations.count_unused, settings.most_unused_registrations)
    known = clients.known(settings, stores, room)
    tools = ToolDetailing(stores.resources)
    policies = Policies(
        stores.policies, stores.domains, stores.pending_grants, stores.resources, stores.refresh_tokens, stores.audit
    )
    targets = configured.targets(settings)
    counts = call_ceilings(settings, stores)
    who = ClientAuthentication.at(settings.issuer, stores.clients, known.keys, stores.used_assertions)
    formats = TokenFormats(
        issuer=settings.issuer,
        resources=stores.resources,
        keyring=keyring,
        opaque=OpaqueTokens(partial(safe.derive, "access tokens"), settings.issuer),
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
    people = accounts(settings, stores, safe)
    tracing = Tracing(References(partial(safe.derive, "traces")), Recorder(stores.traces))
    rotation = _rotation(settings, stores, safe)
    return Deployment(
        settings=settings,
        stores=stores,
        vault=safe,
        roots=roots,
        keyring=keyring,
        rotation=rotation,
        sign_in=people.sign_in,
        sessions=Sessions(stores.sessions, settings.session_lifetime),
        remembered=RememberedBrowsers(
            store=stores.remembered,
            letters=people.own.letters,
            key=partial(safe.derive, "remembered browsers"),
            lifetime=settings.remember_me,
            session_lifetime=settings.session_lifetime,
        ),
        invitations=people.invitations,
        own_account=people.own,
        interventions=people.interventions,
        places=people.places,
        post=people.post,
        second_factors=second_factors(settings, stores, safe, people.own.letters),
        policies=policies,
        authorization=_authorization(settings, stores, known, policies),
        token=_token(settings, stores, formats, who, tools, policies, _exchanges(settings, stores, tracing)),
        call_ceilings=counts,
        shared_ceilings=SharedCeilings(stores.ceilings, settings.redis_url) if settings.redis_url else None,
        revocation=Revocation(**shared, limit=counts.revocation),
        introspection=Introspection(
            **shared,
            issuer=settings.issuer,
            resources=stores.resources,
            tools=tools,
            limit=counts.introspection,
        ),
        tool_permissions=ToolPermissions(who, stores.resources, stores.tool_permissions, counts.guards),
        registration=clients.registration(settings, stores, room),
        known_clients=known,
        reaper=clients.reaper(settings, stores),
        status_lists=lists,
        inquiry=Inquiry(
            issuer=settings.issuer,
            keyring=keyring,
            algorithm=settings.access_token_algorithm,
            networks=settings.entered_networks,
            proxy=settings.fetch_proxy,
            trust=trusting(settings.fetch_ca_file),
        ),
        server_doctor=ServerDoctor(
            settings.issuer,
            settings.entered_networks,
            trusting(settings.fetch_ca_file),
            watch.raise_new,
            settings.fetch_proxy,
        ),
        publication=Publication(
            who,
            stores.resources,
            ClientLimit(stores.ceilings.of("manifests", settings.tool_manifests_per_guard)),
        ),
        tool_receipts=ToolReceipts(who, stores.tool_receipts, _unusual_use(settings, stores), counts.guards),
        tracing=tracing,
        timelines=Timelines(tracing.references, stores.traces, stores.clients, stores.users),
        connections=Connections(
            stores.grants,
            stores.clients,
            stores.tool_calls,
            stores.watch,
            stores.resources,
            settings.unused_permission_after,
        ),
        sealer=Sealer(stores.seals, stores.streams, keyring, watch.raise_new, settings.audit_retention_days, targets),
        streams=Streams(stores.trail, stores.seals, stores.streams, targets),
        approvals=approvals,
        attention=Attention(stores, rotation, settings.most_unused_registrations, settings.audit_targets),
        watch=watch,
        delivery=Delivery(stores.notices, told),
        upstream=upstreams.sign_in(settings, stores, partial(safe.derive, "upstream sign-in"), people.own.letters),
        readiness=Readiness(stores.database, keyring, roots),
    )


def _keks(settings: Settings) -> tuple[KeyEncryptionKey, ...]:
    previous = [each.get_secret_value() for each in settings.previous_key_encryption_keys]
    return key_encryption_keys(settings.key_encryption_key.get_secret_value(), previous, settings.home)


def _rotation(settings: Settings, stores: Stores, safe: Vault) -> Rotation:
    return Rotation(
        stores.keys,
        safe,
        settings.access_token_algorithm,
        settings.access_token_lifetime,
        settings.next_key_lead,
        every=settings.key_rotation_days * DAY,
        in_use=lambda: {each.signing_algorithm for each in stores.resources.all() if each.signing_algorithm},
    )


def _unusual_use(settings: Settings, stores: Stores) -> UnusualUse:
    thresholds = Thresholds(
        calls_factor=settings.unusual_calls_factor,
        calls_least=settings.unusual_calls_least,
        refusals=settings.unusual_refusals,
    )
    off = frozenset(settings.alerts_off)
    return UnusualUse(stores.resources, stores.clients, stores.tool_calls, stores.alerts, thresholds, off)


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
        ceilings=call_ceilings(settings, stores).tokens,
        formats=formats,
        lifetime=settings.access_token_lifetime,
    )
