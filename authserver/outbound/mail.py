"""Mail to people: plain text, by SMTP or into a folder, and never more headers than were meant.

Whoever writes a `Mail` may put strangers' words into it: nothing of them becomes a header, a receiver or markup.
"""

import os
import secrets
import smtplib
import socket
import ssl
import threading
from contextlib import closing, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime
from pathlib import Path
from typing import Protocol

from ..protocol.strangers import plain

LONGEST_SUBJECT = 150
LONGEST_ANSWER = 200
SECONDS = 30.0  # for a mail, however slowly its server answers


@dataclass(frozen=True, slots=True)
class Mail:
    """What one person is told. ``identifier`` is the same whenever the same mail is sent again."""

    receiver: str
    subject: str
    text: str
    identifier: str


class MailRefused(Exception):
    """A mail was not taken, or nobody knows whether it was; the text says why, without any secret."""


class Outgoing(Protocol):
    """Takes mail."""

    def send(self, mail: Mail) -> None:
        """Have *mail* taken for good. Raises `MailRefused`."""


class Hasty(smtplib.SMTP):
    """A conversation that ends after its ``timeout``, however slowly the other side talks: a read's own is not all."""

    _alarm: threading.Timer | None = None
    _late = False

    def getreply(self) -> tuple[int, bytes]:
        """What the server says next."""
        if self._alarm is None:
            self._alarm = threading.Timer(self.timeout, self._hang_up)
            self._alarm.daemon = True
            self._alarm.start()
        answer = super().getreply()
        if self._late:
            self.close()
            raise smtplib.SMTPServerDisconnected("it took too long")  # what came of the line may look like an answer
        return answer

    def close(self) -> None:
        """End it."""
        if self._alarm is not None:
            self._alarm.cancel()
        super().close()

    def _hang_up(self) -> None:
        self._late = True
        with suppress(OSError):
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)


class HastyOverTls(Hasty, smtplib.SMTP_SSL):
    """The same, encrypted from the beginning: a handshake has the whole ``timeout`` before that, and no more."""


@dataclass(frozen=True, slots=True)
class Relay:
    """An SMTP server at *host* and *port* (RFC 5321), by *security* ``starttls`` (RFC 3207), ``tls`` or ``none``.

    Without the protection that was asked for nothing is sent.
    """

    host: str
    port: int
    security: str
    username: str
    password: str
    sender: str
    trust: ssl.SSLContext
    seconds: float = SECONDS

    def send(self, mail: Mail) -> None:
        """See `Outgoing.send`."""
        try:
            self._deliver(mail)
        except smtplib.SMTPResponseException as refused:
            raise MailRefused(f"the mail server said {refused.smtp_code}: {_words(refused.smtp_error)}") from None
        except smtplib.SMTPRecipientsRefused as refused:
            _, (code, said) = next(iter(refused.recipients.items()))
            raise MailRefused(f"the mail server does not take mail for this address: {code} {_words(said)}") from None
        except smtplib.SMTPNotSupportedError:
            raise MailRefused("the mail server does not offer what mail_security or mail_username need") from None
        except ssl.SSLError:
            raise MailRefused("the mail server could not prove its name by a certificate trusted here") from None
        except TimeoutError:
            raise MailRefused("the mail server did not answer in time") from None
        except (smtplib.SMTPException, OSError, ValueError) as failed:
            why = getattr(failed, "strerror", None) or "it hung up, took too long, or does not speak SMTP"
            raise MailRefused(f"the mail server cannot be reached: {why}") from None

    def _deliver(self, mail: Mail) -> None:
        with closing(self._open()) as server:
            if self.security == "starttls":
                server.starttls(context=self.trust)
            if self.username:
                server.login(self.username, self.password)
            server.send_message(message(mail, self.sender), self.sender, [mail.receiver])
            with suppress(smtplib.SMTPException, OSError):
                server.quit()  # it has the mail, whatever it says to this

    def _open(self) -> smtplib.SMTP:
        if self.security == "tls":
            return HastyOverTls(self.host, self.port, timeout=self.seconds, context=self.trust)
        return Hasty(self.host, self.port, timeout=self.seconds)

    def __repr__(self) -> str:
        """Without the password."""
        return f"Relay({self.host!r}, {self.port})"


@dataclass(frozen=True, slots=True)
class Folder:
    """Writes each mail to a file of its own in *path*, readable by its owner."""

    path: Path
    sender: str

    def send(self, mail: Mail) -> None:
        """See `Outgoing.send`. A file is whole as soon as its name ends with ``.eml``."""
        name = f"{localtime():%Y%m%d-%H%M%S}-{secrets.token_hex(6)}"
        being_written = self.path / f".{name}"
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            opened = os.open(being_written, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(opened, "wb") as file:
                file.write(bytes(message(mail, self.sender)))
            being_written.rename(self.path / f"{name}.eml")
        except OSError as failed:
            raise MailRefused(f"{self.path}: {failed.strerror}") from None


def proving(ca_file: str = "") -> ssl.SSLContext:
    """Whom to believe that they are the mail server: as `fetch.trusting` says, but for what is HTTP's own (ALPN)."""
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


def message(mail: Mail, sender: str) -> EmailMessage:
    """*mail* as RFC 5322 has it: one receiver, and what marks it as made by a machine (RFC 3834 §5)."""
    made = EmailMessage(SMTP)
    made["From"], made["To"] = sender, mail.receiver
    made["Subject"] = plain(mail.subject, LONGEST_SUBJECT)
    made["Date"] = format_datetime(localtime())
    made["Message-ID"] = f"<{mail.identifier}@{sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(mail.text, cte="quoted-printable")
    return made


def _words(said: bytes | str) -> str:
    text = said.decode("ascii", "replace") if isinstance(said, bytes) else said
    return plain(text, LONGEST_ANSWER)
