"""The composition root: the only module that knows every part and joins them.

`create_app` opens no connection and starts no thread; migrations and keys are made by ``authserver init``.
"""

from functools import partial
from typing import Any, cast

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from .accounts.passwords import Passwords
from .accounts.sessions import Sessions
from .accounts.sign_in import SignIn
from .keys.envelope import SuccessorEnvelope
from .keys.keyring import Keyring, NoSigningKey
from .keys.numbering import Numbering
from .keys.opaque import OpaqueTokens
from .keys.ports import Purpose
from .keys.rotation import STATUS_ALGORITHM
from .keys.sealing import vault
from .observability import logs
from .outbound.addresses import ClientSupplied
from .outbound.entered import EnteredFetch
from .outbound.fetch import SafeFetch, trusting
from .protocol.domain import Decision
from .protocol.grants import Grant
from .protocol.grants.authorization_code import AuthorizationCodeGrant
from .protocol.grants.client_credentials import ClientCredentialsGrant
from .protocol.grants.refresh_token import RefreshTokenGrant
from .protocol.registration import document
from .protocol.trace.reference import References
from .services import key_sets, statement_issuers
from .services.authorization import AuthorizationService
from .services.ceilings import AddressLimit, ClientLimit, RegistrationCeilings, Room
from .services.client_authentication import ClientAuthentication
from .services.connections import Connections
from .services.deployment import Deployment
from .services.documents import Documents
from .services.introspection import Introspection
from .services.key_sets import MOST_KEY_SET, KeySets
from .services.known_clients import KnownClients
from .services.later import Later
from .services.metadata_documents import MetadataDocuments
from .services.reaper import Reaper
from .services.registration import Registration
from .services.revocation import Revocation
from .services.status_lists import StatusLists
from .services.token import TokenEndpoint
from .services.token_formats import TokenFormats
from .services.tool_catalogue.inquiry import Inquiry
from .services.tool_catalogue.publication import Publication
from .services.tool_details import ToolDetailing
from .services.tool_permissions import ToolPermissions
from .services.tool_receipts import ToolReceipts
from .services.traces.exchanges import Exchanges
from .services.traces.recorder import Recorder
from .services.traces.timeline import Timelines
from .services.traces.tracing import Tracing
from .services.unusual_use import Thresholds, UnusualUse
from .settings import Settings, load
from .settings.group import DAY
from .store.database import connect
from .store.stores import Stores
from .web import pages
from .web.backchannel.endpoints import backchannel
from .web.front import Front, WSGIApplication

KEYS_SECONDS = 0.5  # how long a withdrawn key may still be published: half of a guard's patience
OTHERWISE = {"any": None, "ask": Decision.ASK, "listed": Decision.DENY}


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application of one deployment; *settings* are read from environment and file if not given.

    Raises `authserver.settings.SettingsError` and `authserver.keys.sealing.SealError` in words for the operator.
    """
    settings = settings or load()
    logs.configure(settings.log_level)
    app = Flask("authserver")
    stores = Stores.over(connect(app, settings.url_of_database), session_idle=settings.session_idle)
    deployment = compose(settings, stores)
    app.extensions["authserver"] = deployment
    app.secret_key = deployment.vault.derive("cookies").hex()
    pages.install(app, deployment)
    _install_front(app, deployment)
    return app


def compose(settings: Settings, stores: Stores) -> Deployment:
    """Join *stores*, keys and use cases as *settings* say."""
    safe = vault(settings.key_encryption_key.get_secret_value(), settings.home)
    keyring = Keyring(stores.keys, safe, partial(stores.epoch.current, KEYS_SECONDS))
    lists = StatusLists(settings.issuer, stores.ended, stores.epoch, keyring, Numbering(safe.derive("status lists")))
    room = Room(stores.registrations.count_unused, settings.most_unused_registrations)
    known = known_clients(settings, stores, room)
    tools = ToolDetailing(stores.resources)
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
    tracing = Tracing(References(safe.derive("traces")), Recorder(stores.traces))
    return Deployment(
        settings=settings,
        stores=stores,
        vault=safe,
        keyring=keyring,
        sign_in=_sign_in(settings, stores),
        sessions=Sessions(stores.sessions, settings.session_lifetime),
        authorization=_authorization(settings, stores, known),
        token=_token(settings, stores, formats, who, tools, _exchanges(settings, stores, tracing)),
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
        publication=Publication(who, stores.resources, ClientLimit(settings.tool_manifests_per_guard)),
        tool_receipts=ToolReceipts(who, stores.tool_receipts, _unusual_use(settings, stores)),
        tracing=tracing,
        timelines=Timelines(tracing.references, stores.traces, stores.clients, stores.users),
        connections=Connections(stores.grants, stores.tool_calls, stores.resources, settings.unused_permission_after),
    )


def _unusual_use(settings: Settings, stores: Stores) -> UnusualUse:
    thresholds = Thresholds(
        calls_factor=settings.unusual_calls_factor,
        calls_least=settings.unusual_calls_least,
        refusals=settings.unusual_refusals,
    )
    return UnusualUse(stores.resources, stores.clients, stores.tool_calls, stores.alerts, thresholds)


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


def _authorization(settings: Settings, stores: Stores, known: KnownClients) -> AuthorizationService:
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
    own = ClientCredentialsGrant(stores.resources, stores.access_tokens)
    grants: tuple[Grant, ...] = (codes, refreshes, own)
    return TokenEndpoint(
        issuer=settings.issuer,
        who=who,
        resources=stores.resources,
        grants={grant.grant_type: grant for grant in grants},
        tools=tools,
        traces=traces,
        formats=formats,
        lifetime=settings.access_token_lifetime,
    )


def _install_front(app: Flask, deployment: Deployment) -> None:
    def ready() -> bool:
        try:
            return bool(deployment.keyring.signing_kid(STATUS_ALGORITHM, Purpose.STATUS))
        except (SQLAlchemyError, NoSigningKey):
            return False

    settings = deployment.settings
    front = Front(
        cast(WSGIApplication, app.wsgi_app),
        backchannel(deployment, ready),
        issuer=settings.issuer,
        trusted_proxies=settings.trusted_proxies,
    )
    app.wsgi_app = front  # type: ignore[method-assign]
