"""The post: what waits is sent until it is taken, once, and says the same when it is sent again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import select, update

from authserver.accounts.post import MOST_TRIES, Post
from authserver.keys.sealing import SealError, Vault
from authserver.outbound.mail import Mail, MailRefused
from authserver.protocol.audit import Event
from authserver.protocol.role import Role
from authserver.store.audit import AuditFilter
from authserver.store.models import AccountLinkRow, LetterRow
from tests.conformance.fixtures import set_up, site_with
from tests.conformance.site import Site
from tests.mailbox import settings

__all__ = ["set_up", "site_with"]

EVENT = Event("test.done", "system")
ADDRESS = "kim@example.com"


@dataclass
class Relay:
    """Takes mail, or for a while does not."""

    refuses: bool = False
    taken: list[Mail] = field(default_factory=list)
    seen: list[Mail] = field(default_factory=list)

    def send(self, mail: Mail) -> None:
        self.seen.append(mail)
        if self.refuses:
            raise MailRefused("not now")
        self.taken.append(mail)


@pytest.fixture
def site(site_with, tmp_path) -> Site:
    found = site_with(**settings(tmp_path / "mail"))
    found.deployment.stores.users.add("kim", "Kim", "x", Role.MEMBER, EVENT, email=ADDRESS, verified=True)
    return found


@pytest.fixture
def relay() -> Relay:
    return Relay()


@pytest.fixture
def post(site: Site, relay: Relay) -> Post:
    return replace(site.deployment.post, outgoing=relay)


@pytest.fixture
def asked(site: Site, origin) -> None:
    """Kim's password is forgotten."""
    site.deployment.own_account.forgot(ADDRESS, origin)


def due(site: Site, **columns: object) -> None:
    """As if the time had passed until what waits is sent again."""
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(LetterRow).values(try_at=0, **columns))


@contextmanager
def down(relay: Relay) -> Iterator[None]:
    relay.refuses = True
    yield
    relay.refuses = False


def test_what_is_not_taken_is_sent_again_with_the_same_link_under_the_same_id(site, post, relay, asked):
    with down(relay), pytest.raises(MailRefused):
        post.deliver()
    assert not post.deliver(), "it waits"
    due(site)
    assert post.deliver()
    assert relay.seen[0] == relay.seen[1] == relay.taken[0]
    assert not post.deliver()
    with site.deployment.stores.database.reading() as connection:
        assert len(connection.execute(select(AccountLinkRow.digest)).all()) == 1


def test_delays_grow_up_to_an_hour(site, post, relay, asked):
    waits = []
    for _ in range(12):
        with down(relay), pytest.raises(MailRefused):
            post.deliver()
        with site.deployment.stores.database.reading() as connection:
            waits.append(connection.scalar(select(LetterRow.try_at - LetterRow.created_at)))
        due(site)
    assert waits[0] >= 10
    assert 3600 <= waits[-1] < 3600 + 600


def test_it_is_given_up_after_days_and_the_trail_tells(site, post, relay, asked):
    due(site, tries=MOST_TRIES - 1)
    with down(relay), pytest.raises(MailRefused):
        post.deliver()
    due(site)
    assert not post.deliver()
    assert site.deployment.stores.audit.page(AuditFilter(name="mail.given_up"), None, 9).lines


def test_one_that_cannot_be_written_waits_longer_each_time_and_is_given_up(site, post, asked):
    class Unable(Relay):
        def send(self, mail: Mail) -> None:
            raise ValueError(mail.receiver)

    unable = replace(post, outgoing=Unable())
    with pytest.raises(MailRefused, match="cannot be written: ValueError"):
        unable.deliver()
    assert not unable.deliver(), "others have their turn"
    due(site, tries=MOST_TRIES - 1)
    with pytest.raises(MailRefused):
        unable.deliver()
    due(site)
    assert not unable.deliver()
    assert site.deployment.stores.audit.page(AuditFilter(name="mail.given_up"), None, 9).lines


def test_whoever_dies_while_sending_leaves_it_to_the_next(site, post, relay, asked):
    store = site.deployment.stores.letters
    claimed = store.claim(120)
    assert claimed is not None
    assert not post.deliver(), "another process has it"
    due(site)
    assert post.deliver()
    assert len(relay.taken) == 1


def test_words_that_were_sealed_for_another_receiver_are_sent_to_nobody(site, post, relay, asked):
    with down(relay), pytest.raises(MailRefused):
        post.deliver()
    due(site, receiver="thief@example.com")
    with pytest.raises(SealError):
        post.deliver()
    due(site)
    assert not post.deliver(), "it is forgotten"
    assert relay.taken == []


def test_a_process_that_lacks_the_key_of_the_deployment_loses_no_letter(site, post, relay, asked):
    def lacking(*, again: bool = False) -> tuple[bytes, ...]:
        raise SealError("the root secret is wrapped with another key-encryption key")

    with down(relay), pytest.raises(MailRefused):
        post.deliver()
    due(site)
    letters = replace(post.own.letters, vault=Vault(lacking))
    unable = replace(post, own=replace(post.own, letters=letters))
    with pytest.raises(MailRefused):
        unable.deliver()
    due(site)
    assert post.deliver(), "it waits for one that has it"
    assert len(relay.taken) == 1


def test_without_a_way_nothing_is_sent_and_nothing_is_lost(site, post, asked):
    assert not replace(post, outgoing=None).deliver()
    assert post.deliver()
