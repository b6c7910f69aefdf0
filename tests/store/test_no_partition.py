"""Events that have no partition, and what is left of one that was being made."""

from sqlalchemy import select

from authserver.protocol.audit import Event
from authserver.store import partitions
from authserver.store.database import Database
from authserver.store.models import AuditRow
from authserver.store.stores import Stores

from .test_partitions import DAY, WIDTH, let_pass, narrow, there, url, written, written_past_all
from .test_seals import drop, seal_all, write

__all__ = ["narrow", "url"]


def test_retention_takes_events_without_a_partition_before_the_partition_behind_them(
    stores: Stores, database: Database
):
    stores.seals.make_room(DAY)
    names = written_past_all(stores)
    names += written(stores, 3)
    seal_all(stores)
    head = stores.seals.head()
    assert head
    while there(database)[0].end <= head.last.xid:
        if not drop(stores):
            break
        kept = [seal for seal in stores.seals.after(0) if seal.dropped is None]
        with database.reading() as connection:
            oldest = connection.execute(select(AuditRow.xid, AuditRow.id).order_by(AuditRow.xid, AuditRow.id)).first()
        gone = [seal.last for seal in stores.seals.after(0) if seal.number < kept[0].number]
        assert oldest
        assert tuple(oldest) > (gone[-1].xid, gone[-1].id), "what was dropped by its seal is gone"


def test_whoever_is_killed_while_making_the_first_partition_leaves_nothing_in_the_way(
    stores: Stores, database: Database
):
    end = partitions._limited(database)
    assert end
    stores.seals.make_room(DAY)
    let_pass(database, 2 * WIDTH)
    write(stores, "event")
    with database.reading() as connection:
        assert (connection.scalar(select(AuditRow.xid)) or 0) > end


def test_a_database_that_was_saved_while_the_first_partition_was_made_can_be_recovered(
    stores: Stores, database: Database
):
    end = partitions._limited(database)
    assert end
    stores.recovery.leap(Event("database.restored", "system"))
    write(stores, "event")
    stores.seals.make_room(DAY)
    assert there(database)
