"""Sign-in with the providers that the settings name. Nothing is fetched here."""

from collections.abc import Callable
from typing import Any

from ...accounts.identities import Identities
from ...accounts.letters import Letters
from ...outbound.entered import EnteredFetch
from ...outbound.fetch import trusting
from ...settings import Settings
from ...store.stores import Stores
from ..ceilings import AddressLimit
from ..documents import Documents
from .call import Calls
from .github import GitHub
from .oidc import OpenIdConnect
from .provider import MOST_DOCUMENT, Published, check_keys, check_metadata
from .sign_in import UpstreamSignIn


def sign_in(settings: Settings, stores: Stores, key: Callable[[], bytes], letters: Letters) -> UpstreamSignIn:
    """The providers of *settings*; what *key* gives makes the secrets of attempts."""
    told: dict[str, Any] = {"proxy": settings.fetch_proxy, "trust": trusting(settings.fetch_ca_file)}
    source = EnteredFetch(settings.entered_networks, **told, most_bytes=MOST_DOCUMENT)
    published = Published(
        documents=Documents(stores.fetched, source, check_metadata, prefix="upstream:"),
        key_sets=Documents(stores.fetched, source, check_keys, prefix="upstream-keys:"),
    )
    calls = Calls(settings.entered_networks, **told)
    return UpstreamSignIn(
        upstreams={each.id: each for each in settings.upstream},
        ways={"oidc": OpenIdConnect(published, calls, settings.session_lifetime), "github": GitHub(calls)},
        attempts=stores.upstream_attempts,
        identities=Identities(stores.identities, stores.users, stores.audit, letters),
        limit=AddressLimit(stores.ceilings.of("upstream", settings.sign_ins_per_address)),
        issuer=settings.issuer,
        key=key,
    )
