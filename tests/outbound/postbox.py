"""A mail server on loopback that keeps what it is given."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP as LINES
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.journeys.ports import free_port

NAME, PASSWORD = "mailer", "a password of the mail server"


@dataclass
class Postbox:
    """``mails`` with their receivers, and the ``answer`` to the next one; ``refused`` are those it does not know."""

    mails: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    answer: str = "250 taken"
    refused: set[str] = field(default_factory=set)
    encrypted: list[bool] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if address in self.refused:
            return "550 nobody\x1b[2J of that name"
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.answer.startswith("2"):
            made: Any = BytesParser(policy=LINES).parsebytes(envelope.original_content or b"")
            self.mails.append((envelope.rcpt_tos, made))
            self.encrypted.append(session.ssl is not None)
        return self.answer


@contextmanager
def postbox(context: ssl.SSLContext | None = None, *, implicit: bool = False, auth: bool = False) -> Iterator[Postbox]:
    """A running server: encrypted from the beginning if *implicit*, otherwise by STARTTLS where there is a context."""
    found = Postbox(port=free_port())

    def check(server: SMTP, session: Session, envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (NAME.encode(), PASSWORD.encode())
        return AuthResult(success=known, handled=False)

    options: dict[str, Any] = {"authenticator": check, "auth_required": True} if auth else {}
    if context and not implicit:
        options["tls_context"] = context
        options["require_starttls"] = True
    if implicit:
        options["ssl_context"] = context
        options["auth_require_tls"] = False
    controller = Controller(found, hostname="127.0.0.1", port=found.port, **options)
    controller.start()
    try:
        yield found
    finally:
        controller.stop()
