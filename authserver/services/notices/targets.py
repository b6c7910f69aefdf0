"""Who takes messages: a person by mail, a system by webhook."""

from dataclasses import dataclass
from typing import Protocol

from ...outbound.mail import MailRefused, Outgoing
from ...outbound.refusal import FetchRefused
from ...outbound.signed_post import SignedPost
from ...store.notices import Message
from .words import Words


class NotTold(Exception):
    """A message was not taken, or nobody knows whether it was; the text says why, without any secret."""


class Target(Protocol):
    """Takes messages; ``name`` is what they are kept under."""

    @property
    def name(self) -> str:
        """``webhook``, or ``mail:`` and an address."""

    def take(self, message: Message) -> None:
        """Take *message*, for good when this returns. Raises `NotTold`."""


@dataclass(frozen=True, slots=True)
class MailTarget:
    """Mails to *receiver*."""

    receiver: str
    outgoing: Outgoing
    words: Words

    @property
    def name(self) -> str:
        """See `Target.name`."""
        return f"mail:{self.receiver}"

    def take(self, message: Message) -> None:
        """See `Target.take`."""
        try:
            self.outgoing.send(self.words.mail(message, self.receiver))
        except MailRefused as refused:
            raise NotTold(str(refused)) from None


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """Posts to a webhook, signed; the message's id is the ``webhook-id``."""

    way: SignedPost
    words: Words
    name: str = "webhook"

    def take(self, message: Message) -> None:
        """See `Target.take`."""
        try:
            self.way.post(message.id, self.words.payload(message))
        except FetchRefused as refused:
            raise NotTold(str(refused)) from None
