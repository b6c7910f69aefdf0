"""How people are told of what needs them: mail, notices, and what is worth one."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from ..protocol import mail_address
from ..protocol.alert import Severity
from .group import DAY, LOOPBACK_HOSTS, Group

LEAST_SECRET = 24


class Mail(Group):
    """Outgoing mail (docs/notices.md)."""

    mail_host: str = ""
    """SMTP server that takes the mail of this one. Empty means none."""

    mail_port: Annotated[int, Field(ge=1, le=65_535)] = 587
    """Its port."""

    mail_security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is protected: ``starttls`` (a server that does not offer it gets nothing), ``tls`` from the
    beginning (mostly port 465), or ``none``, for a relay on this machine or in a trusted network."""

    mail_username: str = ""
    """Name to sign in to it by. Empty means that it asks for none."""

    mail_password: SecretStr = SecretStr("")
    """Password that goes with it."""

    mail_password_file: str = ""
    """File that holds the password instead."""

    mail_from: str = ""
    """Address that mail comes from."""

    mail_directory: str = ""
    """Folder that mail is written to as .eml files, in place of sending it: for a demo, and for trying."""

    @field_validator("mail_from")
    @classmethod
    def _sender_is_an_address(cls, sender: str) -> str:
        return sender and mail_address.check(sender)

    @model_validator(mode="after")
    def _mail_can_be_sent(self) -> Self:
        if self.mail_host and self.mail_directory:
            raise ValueError("mail_host and mail_directory exclude each other")
        if self.sends_mail and not self.mail_from:
            raise ValueError("mail needs an address to come from: mail_from")
        clear = self.mail_security == "none" and self.mail_host not in LOOPBACK_HOSTS
        if self.mail_host and self.mail_username and clear:
            raise ValueError("a mail_username needs mail_security: its password would cross the network in clear")
        return self

    @property
    def sends_mail(self) -> bool:
        """Whether mail leaves this server, if only into a folder."""
        return bool(self.mail_host or self.mail_directory)

    @property
    def password_of_mail(self) -> str:
        """The password for ``mail_host``, from wherever it is. Raises `ValueError`."""
        return _secret("mail_password", self.mail_password, self.mail_password_file)


class Notices(Mail):
    """Whom to tell, by which way, from which severity on (docs/notices.md)."""

    notice_mail: list[str] = []
    """Addresses that get notices by mail."""

    notice_webhook: str = ""
    """URL that notices are posted to as JSON, https only. A host in a private network has to be among
    ``fetch_entered_networks``."""

    notice_webhook_secret: SecretStr = SecretStr("")
    """Signs what is posted to ``notice_webhook`` (as Standard Webhooks has it): at least 24 characters."""

    notice_webhook_secret_file: str = ""
    """File that holds the secret instead."""

    notice_severity: Severity = Severity.WARNING
    """Least severity of an alert that is told: ``notice``, ``warning`` or ``critical``. All are in the console."""

    notice_gathering: Annotated[int, Field(ge=0, le=DAY)] = 300
    """Seconds after a notice in which further ones of its kind wait, to be told together."""

    approval_lifetime: Annotated[int, Field(ge=3600)] = 14 * DAY
    """Seconds after which what waits for an administrator's decision ends as if it was refused."""

    @field_validator("notice_mail")
    @classmethod
    def _receivers_are_addresses(cls, receivers: list[str]) -> list[str]:
        return [mail_address.check(receiver) for receiver in receivers]

    @field_validator("notice_webhook")
    @classmethod
    def _notices_go_by_https(cls, url: str) -> str:
        if url and not url.startswith("https://"):
            raise ValueError("must begin with https://")
        return url

    @model_validator(mode="after")
    def _notices_can_be_told(self) -> Self:
        if self.notice_mail and not self.sends_mail:
            raise ValueError("notice_mail needs mail_host (or mail_directory)")
        if self.notice_webhook and len(self.secret_of_notices) < LEAST_SECRET:
            raise ValueError("notice_webhook needs a notice_webhook_secret (or …_file) with at least 24 characters")
        return self

    @property
    def secret_of_notices(self) -> str:
        """What signs notices, from wherever it is. Raises `ValueError`."""
        return _secret("notice_webhook_secret", self.notice_webhook_secret, self.notice_webhook_secret_file)


def _secret(name: str, given: SecretStr, file: str) -> str:
    if not file:
        return given.get_secret_value()
    try:
        return Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeError):
        raise ValueError(f"the file of {name}_file cannot be read") from None
