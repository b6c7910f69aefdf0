"""What becomes a span within a request: verbs of stores, fetches, and the hashing of passwords."""

from dataclasses import fields
from typing import TYPE_CHECKING

from ... import __version__
from ...settings import Settings, SettingsError
from ...store.stores import Stores
from ..deployment import Deployment

if TYPE_CHECKING:
    from ...observability.tracing import Tracer

NO_STORES = frozenset({"database", "epoch"})


def tracer(settings: Settings) -> "Tracer | None":
    """Who makes spans; None where nobody wants them. Raises `SettingsError` where the extra is not installed."""
    if not settings.traces_endpoint:
        return None
    try:
        from ...observability.tracing import Tracer  # noqa: PLC0415 - an extra, of which nothing is loaded otherwise
    except ImportError:
        raise SettingsError("traces_endpoint needs the extra: pip install 'mcp-authserver[otel]'") from None
    return Tracer(settings.traces_endpoint, settings.traces_share, __version__)


def of_stores(made: "Tracer", stores: Stores) -> None:
    """Watch every verb of every store; before services take them."""
    for each in fields(stores):
        store = getattr(stores, each.name)
        if each.name not in NO_STORES:
            made.watch(store, f"store.{each.name}", _verbs(store))


def of_services(made: "Tracer", deployment: Deployment) -> None:
    """Watch what goes out to others, and what keeps a core busy."""
    known = deployment.known_clients
    sources = [known.keys.strangers.source, known.keys.entered.source]
    if known.documents is not None:
        sources.append(known.documents.documents.source)
    for source in sources:
        made.watch(source, "fetch", ["get"])
    made.watch(deployment.sign_in.passwords, "passwords", ["hash", "verify"])


def _verbs(store: object) -> list[str]:
    return [name for name, value in vars(type(store)).items() if not name.startswith("_") and callable(value)]
