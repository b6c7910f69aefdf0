"""The targets that the settings name."""

from pathlib import Path

from ...outbound.mail import Folder, Outgoing, Relay, proving
from ...settings import Settings
from ..trail.configured import signed_post
from .targets import MailTarget, Target, WebhookTarget
from .words import Words


def targets(settings: Settings, words: Words) -> tuple[Target, ...]:
    """Who is told of what needs them; nothing is opened here. Raises `SettingsError`."""
    way = outgoing(settings)
    found: list[Target] = [MailTarget(each, way, words) for each in settings.notice_mail if way]
    if settings.notice_webhook:
        post = signed_post("notice_webhook", settings.notice_webhook, settings.secret_of_notices, settings)
        found.append(WebhookTarget(post, words))
    return tuple(found)


def outgoing(settings: Settings) -> Outgoing | None:
    """The way that mail goes; None where it goes nowhere."""
    if settings.mail_directory:
        return Folder(Path(settings.mail_directory), settings.mail_from)
    if not settings.mail_host:
        return None
    return Relay(
        host=settings.mail_host,
        port=settings.mail_port,
        security=settings.mail_security,
        username=settings.mail_username,
        password=settings.password_of_mail,
        sender=settings.mail_from,
        trust=proving(settings.fetch_ca_file),
    )
