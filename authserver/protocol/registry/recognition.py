"""Which known client a client is, or says it is, what proves that, and what gives reason to doubt (AZ-8).

A metadata document is its publisher's. A dynamic client has only its word, unless the code goes to an address that
only the vendor answers: then whoever asked, the vendor gets it. What ends on the person's device proves nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from .. import redirect_uri
from ..client import Client, ClientKind
from . import look_alike
from .known import Brand, KnownClient, registry

ADDRESS = re.compile(r"(?<![\w.-])(?:[\w-]+\.)+(?:com|org|net|ai|dev|io|app|so|co|example)(?![\w-])", re.IGNORECASE)


class Proof(StrEnum):
    """What shows that a client is the one it says."""

    NONE = "none"
    ADMINISTRATOR = "administrator"
    STATEMENT = "statement"
    DOCUMENT = "document"
    REDIRECT = "redirect"


class Doubt(StrEnum):
    """Reasons to look twice."""

    BRAND = "brand"
    BRAND_IN_ADDRESS = "brand_in_address"
    ADDRESS_IN_NAME = "address_in_name"
    CLAIM = "claim"
    STRANGE_LETTERS = "strange_letters"
    STRANGE_ADDRESS = "strange_address"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Recognition:
    """What is known of the client that asks to have the browser sent to ``host``.

    ``known`` is the known client that it is if there is ``proof``, else the one that it says it is and may be.
    ``publisher`` is the host of its metadata document, ``voucher`` who signed its software statement. ``brand``
    is whose name it uses without being that, in its own name or (`Doubt.BRAND_IN_ADDRESS`) in its address.
    ``on_device``: any program on the device could get the code, by way of a website if ``relayed``.
    ``vouched``: an administrator answers for it, by itself or for its publisher.
    """

    host: str
    on_device: bool
    relayed: bool
    known: KnownClient | None
    proof: Proof
    vouched: bool
    publisher: str | None
    voucher: str | None
    brand: Brand | None
    doubts: tuple[Doubt, ...]

    @property
    def said(self) -> list[object]:
        """All that a page says by it, as values for a digest."""
        known, brand = self.known.id if self.known else None, self.brand.title if self.brand else None
        proof = [self.proof, self.vouched, self.publisher, self.voucher]
        return [self.host, self.on_device, known, *proof, brand, *self.doubts]


def stays_on_device(uri: str) -> bool:
    """Whether any program on the person's device could get what is sent to *uri* (RFC 8252 §8.4).

    Loopback (by https too), private-use schemes, and known sites that hand it on to these.
    """
    return redirect_uri.is_private_use(uri) or redirect_uri.is_this_machine(uri) or registry().relays(uri)


def recognise(client: Client, uri: str) -> Recognition:
    """What to think of *client* when it asks for the code at *uri*, one of its redirect URIs."""
    return _recognise(_Said(client.kind, client.client_id, client.name, client.vouched, client.voucher), uri)


class _Said(NamedTuple):
    """What there is to judge by, of a client that comes again and again."""

    kind: ClientKind
    client_id: str
    name: str
    vouched: bool
    voucher: str | None


@lru_cache(maxsize=1024)
def _recognise(client: _Said, uri: str) -> Recognition:
    publisher = urlsplit(client.client_id).hostname if client.kind is ClientKind.METADATA_DOCUMENT else None
    known, proof = _prove(client, uri)
    vouched = proof is Proof.ADMINISTRATOR or (client.vouched and publisher is not None)
    named = None if vouched else _named(client.name)
    answers = Answers(client.name, redirect_uri.host(uri), publisher)
    borrowed = named if named and not _is_its_own(named, uri, publisher) else None
    if proof is Proof.NONE and isinstance(named, KnownClient) and not borrowed:
        known = named
    doubts = () if vouched else tuple(_doubts(answers, borrowed))
    return Recognition(
        host=answers.host,
        on_device=stays_on_device(uri),
        relayed=registry().relays(uri),
        known=known,
        proof=proof,
        vouched=vouched,
        publisher=publisher,
        voucher=client.voucher,
        brand=borrowed or (_in_address(answers) if doubts else None),
        doubts=doubts,
    )


def _prove(client: _Said, uri: str) -> tuple[KnownClient | None, Proof]:
    if client.kind is ClientKind.PREREGISTERED:
        return None, Proof.ADMINISTRATOR
    if client.voucher:
        return None, Proof.STATEMENT
    for known in registry().clients:
        if client.kind is ClientKind.METADATA_DOCUMENT and known.publishes(client.client_id):
            return known, Proof.DOCUMENT
        if client.kind is ClientKind.DYNAMIC and known.sends_to(uri) and not stays_on_device(uri):
            return known, Proof.REDIRECT
    return None, Proof.NONE


def _named(text: str) -> Brand | None:
    """The brand whose name the eye finds in *text*; the longest, where one contains another."""
    found = [(len(word), brand) for brand in registry().brands for word in brand.words if look_alike.says(text, word)]
    return max(found, key=lambda one: one[0])[1] if found else None


def _is_its_own(brand: Brand, uri: str, publisher: str | None) -> bool:
    """Whether *brand* is known to publish there or, without a document, to have people sent to *uri*."""
    return brand.owns(publisher) if publisher else _may_be(brand, uri)


def _may_be(brand: Brand, uri: str) -> bool:
    if not stays_on_device(uri):
        return brand.owns(redirect_uri.host(uri))
    if not isinstance(brand, KnownClient):
        return False
    is_local = redirect_uri.is_loopback(uri) and brand.is_local
    return is_local or brand.relays_by(uri) or urlsplit(uri).scheme in brand.schemes


@dataclass(frozen=True, slots=True)
class Answers:
    """What a client says it is called, where the code would go, and the host that published its document."""

    name: str
    host: str
    publisher: str | None

    @property
    def addresses(self) -> tuple[str, ...]:
        """The hosts of the web that a person reads."""
        return tuple(host for host in (self.host, self.publisher) if host and ":" not in host)


def _doubts(answers: Answers, borrowed: Brand | None) -> Iterator[Doubt]:
    if borrowed:
        yield Doubt.BRAND
    elif _in_address(answers):
        yield Doubt.BRAND_IN_ADDRESS
    if look_alike.has_hidden(answers.name):
        yield Doubt.HIDDEN
    if look_alike.has_strange_letters(answers.name):
        yield Doubt.STRANGE_LETTERS
    if look_alike.claims_to_be_checked(answers.name):
        yield Doubt.CLAIM
    if not borrowed and any(not _ends(address, answers) for address in ADDRESS.findall(answers.name)):
        yield Doubt.ADDRESS_IN_NAME
    if any("xn--" in address for address in answers.addresses):
        yield Doubt.STRANGE_ADDRESS


def _in_address(answers: Answers) -> Brand | None:
    """The brand whose name is in an address that is not its own."""
    for address in answers.addresses:
        found = _named(address)
        if found and not any(brand.owns(address) for brand in registry().brands):
            return found
    return None


def _ends(address: str, answers: Answers) -> bool:
    return any(own == address.lower() or own.endswith(f".{address.lower()}") for own in answers.addresses)
