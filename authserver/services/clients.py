"""How clients come to be known here, and go: the use cases about that, joined over stores as the settings say."""

from typing import Any

from ..outbound.addresses import ClientSupplied
from ..outbound.entered import EnteredFetch
from ..outbound.fetch import SafeFetch, trusting
from ..protocol.domain import Decision
from ..protocol.registration import document
from ..settings import Settings
from ..settings.group import DAY
from ..store.stores import Stores
from . import key_sets, statement_issuers
from .ceilings import AddressLimit, RegistrationCeilings, Room
from .documents import Documents
from .key_sets import MOST_KEY_SET, KeySets
from .known_clients import KnownClients
from .later import Later
from .metadata_documents import MetadataDocuments
from .reaper import Reaper
from .registration import Registration

OTHERWISE = {"any": None, "ask": Decision.ASK, "listed": Decision.DENY}


def known(settings: Settings, stores: Stores, room: Room) -> KnownClients:
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
        limit=AddressLimit(stores.ceilings.of("documents", settings.metadata_document_fetches_per_address)),
        room=room,
        otherwise=OTHERWISE[settings.metadata_document_domains],
        holds_changes=settings.metadata_document_changes == "hold",
    )
    return KnownClients(stores.clients, documents if settings.metadata_documents else None, keys)


def registration(settings: Settings, stores: Stores, room: Room) -> Registration:
    """How clients register by themselves."""
    counts = stores.ceilings
    return Registration(
        issuer=settings.issuer,
        clients=stores.clients,
        initial_access_tokens=stores.initial_access_tokens,
        resources=stores.resources,
        mode=settings.registration,
        redirect_hosts=settings.allowed_redirect_hosts,
        ceilings=RegistrationCeilings(
            on_device=AddressLimit(counts.of("registrations", settings.registrations_per_address)),
            hosted=AddressLimit(counts.of("hosted", settings.hosted_registrations_per_address)),
            flood=AddressLimit(counts.of("registration flood", settings.registration_flood_per_address)),
            room=room,
        ),
        share=settings.share_identical_registrations,
        statements=statement_issuers.trusted(settings),
    )


def reaper(settings: Settings, stores: Stores) -> Reaper:
    """Who deletes registrations that nobody uses."""
    # Whoever still has tokens was allowed them within a family's lifetime.
    idle = settings.idle_registration_lifetime
    return Reaper(
        registrations=stores.registrations,
        unused_lifetime=settings.unused_registration_lifetime,
        idle_lifetime=max(idle, settings.refresh_family_lifetime + DAY) if idle else 0,
        most_unused=settings.most_unused_registrations,
    )
