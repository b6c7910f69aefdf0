"""How long the audit trail is kept, and where it is sent."""

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from .group import Group

COLLECTOR = re.compile(
    r"tcp://(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(?P<port>[1-9][0-9]{0,4})|unix://(?P<path>/.+)"
)
LEAST_SECRET = 24


class Audit(Group):
    """Retention and streams of the audit trail (docs/audit.md)."""

    audit_retention_days: Annotated[int, Field(ge=0, le=36_500)] = 0
    """Days after which whole batches of the audit trail are deleted; their seals stay. 0 keeps everything for ever."""

    audit_file: str = ""
    """File that the sealed audit trail is appended to, as JSON lines. Empty means none."""

    audit_syslog: str = ""
    """Collector that the sealed audit trail is sent to by RFC 5424: ``tcp://host:port`` or ``unix:///dev/log``."""

    audit_webhook: str = ""
    """URL that the sealed audit trail is posted to as JSON, https only. A host in a private network has to be among
    ``fetch_entered_networks``."""

    audit_webhook_secret: SecretStr = SecretStr("")
    """Signs what is posted to ``audit_webhook`` (HMAC-SHA256, as Standard Webhooks has it): at least 24 characters."""

    audit_webhook_secret_file: str = ""
    """File that holds the secret instead."""

    @field_validator("audit_syslog")
    @classmethod
    def _collector_can_be_read(cls, collector: str) -> str:
        found = COLLECTOR.fullmatch(collector)
        if collector and not (found and int(found["port"] or 1) < 65_536):
            raise ValueError("must be tcp://host:port or unix:///path")
        return collector

    @field_validator("audit_webhook")
    @classmethod
    def _webhook_is_https(cls, url: str) -> str:
        if url and not url.startswith("https://"):
            raise ValueError("must begin with https://")
        return url

    @model_validator(mode="after")
    def _webhook_has_a_secret(self) -> Self:
        if self.audit_webhook and len(self.webhook_secret) < LEAST_SECRET:
            raise ValueError("audit_webhook needs an audit_webhook_secret (or …_file) with at least 24 characters")
        return self

    @property
    def webhook_secret(self) -> str:
        """What signs for the webhook, from wherever it is. Raises `ValueError`."""
        if not self.audit_webhook_secret_file:
            return self.audit_webhook_secret.get_secret_value()
        try:
            return Path(self.audit_webhook_secret_file).read_text("utf-8").strip()
        except (OSError, UnicodeError):
            raise ValueError("the file of audit_webhook_secret_file cannot be read") from None

    @property
    def audit_collector(self) -> tuple[str, int]:
        """Host and port of ``audit_syslog``; a path and 0 for a Unix socket."""
        found = COLLECTOR.fullmatch(self.audit_syslog)
        if not found:
            raise ValueError("audit_syslog is not set")
        return (found["path"], 0) if found["path"] else (found["host"].strip("[]"), int(found["port"]))

    @property
    def audit_targets(self) -> tuple[str, ...]:
        """The names of what the trail is sent to."""
        set_ones = {"file": self.audit_file, "syslog": self.audit_syslog, "webhook": self.audit_webhook}
        return tuple(name for name, place in set_ones.items() if place)
