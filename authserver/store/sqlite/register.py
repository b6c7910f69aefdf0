"""Register a client, as the only writer."""

from sqlalchemy import bindparam, insert

from ...protocol.audit import Event
from ...protocol.client import Client
from .. import audit
from ..client_row import CHANGEABLE, LASTING, changeable, lasting
from ..database import Database
from ..models import ClientRow

REGISTER = insert(ClientRow).values({name: bindparam(name) for name in (*LASTING, *CHANGEABLE)})


def register(database: Database, client: Client, event: Event) -> None:
    """See `clients.ClientStore.register`."""
    with database.transaction() as connection:
        connection.execute(REGISTER, {**lasting(client), **changeable(client)})
        audit.record(connection, event.about(client_id=client.client_id))
