"""The mail that a deployment writes into a folder, and the links in it."""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from authserver.services.deployment import Deployment

LINK = re.compile(r"^https?://\S+$", re.MULTILINE)


def settings(folder: Path) -> dict[str, Any]:
    """What has a deployment write its mail into *folder*."""
    return {"mail_directory": str(folder), "mail_from": "server@example.com"}


@dataclass(frozen=True)
class Mailbox:
    """The mail in ``folder``, written by the post of ``deployment``."""

    folder: Path
    deployment: Deployment

    def collect(self) -> list[EmailMessage]:
        """All mail, the oldest first, after the post has sent what waits."""
        while self.deployment.post.deliver():
            pass
        return mails(self.folder)

    def to(self, receiver: str) -> list[EmailMessage]:
        """The mail to *receiver*, the oldest first."""
        return [mail for mail in self.collect() if mail["To"] == receiver]

    def link(self, receiver: str) -> str:
        """The link in the newest mail to *receiver*."""
        return link(self.to(receiver)[-1])


def mails(folder: Path) -> list[EmailMessage]:
    """All that were written to *folder*, the oldest first."""
    files = sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    return [message_from_bytes(file.read_bytes(), policy=default) for file in files]


def link(mail: EmailMessage) -> str:
    """The one link in *mail*."""
    (found,) = LINK.findall("\n".join(mail.get_content().splitlines()))
    return found
