"""The targets that the settings name."""

from urllib.parse import urlsplit

from ...outbound.fetch import trusting
from ...outbound.post import EnteredPost
from ...outbound.refusal import FetchRefused
from ...outbound.signed_post import SignedPost
from ...outbound.syslog import Collector, LocalCollector
from ...settings import Settings, SettingsError
from .targets import FileTarget, SyslogTarget, Target, WebhookTarget


def targets(settings: Settings) -> tuple[Target, ...]:
    """What takes the sealed trail; nothing is opened here. Raises `SettingsError`."""
    found: list[Target] = []
    if settings.audit_file:
        found.append(FileTarget(settings.audit_file))
    if settings.audit_syslog:
        host, port = settings.audit_collector
        collector = Collector(host, port) if port else LocalCollector(host)
        found.append(SyslogTarget(collector, urlsplit(settings.issuer).hostname or "-"))
    if settings.audit_webhook:
        found.append(_webhook(settings))
    return tuple(found)


def _webhook(settings: Settings) -> WebhookTarget:
    return WebhookTarget(signed_post("audit_webhook", settings.audit_webhook, settings.webhook_secret, settings))


def signed_post(name: str, url: str, secret: str, settings: Settings) -> SignedPost:
    """The way to the webhook at *url*, which the setting *name* says. Raises `SettingsError`."""
    try:
        way = EnteredPost(
            url, settings.entered_networks, proxy=settings.fetch_proxy, trust=trusting(settings.fetch_ca_file)
        )
    except FetchRefused as refused:
        raise SettingsError(f"{name}: {refused} (for a private network see fetch_entered_networks)") from None
    return SignedPost(way, secret)
