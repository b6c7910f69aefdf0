"""What it costs at the authorization endpoint that a client is known by its kept metadata document.

Both are found by the endpoint's own service in this process, over PostgreSQL.
"""

import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from authserver.protocol import credential
from authserver.protocol.audit import Event, Origin
from authserver.protocol.client import AuthMethod, Client, ClientKind, GrantType
from authserver.services.deployment import Deployment

from .contestant import BenchError
from .database import database
from .ours import prepared
from .report import Cost

RESOURCE = "http://localhost:9001/mcp"  # nobody calls it
URL = "https://app.example/client.json"  # nobody asks it: the document is pinned
REDIRECT = "http://127.0.0.1:33418/callback"
CALLS = 5_000
ORIGIN = Origin("192.0.2.1", "bench")
EVENT = Event("bench.prepared", "system")


def costs(pairs: int) -> list[Cost]:
    """Measure *pairs* times, a registered client and one of a document in turn."""
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        home = Path(name, "home")
        home.mkdir()
        with database(Path(name)) as postgresql, prepared(home, postgresql, RESOURCE, port=0) as found:
            registered = _register(found)
            _publish(found)
            rounds = [(_spent(found, URL), _spent(found, registered)) for _ in range(pairs + 1)][1:]
    ours, peer = zip(*rounds, strict=True)
    return [Cost("a client of a kept document", ours, peer)]


def _spent(found: Deployment, client_id: str) -> float:
    """CPU microseconds per call."""
    before = time.process_time()
    for _ in range(CALLS):
        if found.known_clients.find(client_id, ORIGIN) is None:
            raise BenchError("the client was not found")
    return (time.process_time() - before) * 1e6 / CALLS


def _register(found: Deployment) -> str:
    client = Client(
        client_id=credential.identifier(),
        kind=ClientKind.DYNAMIC,
        name="bench",
        redirect_uris=(REDIRECT,),
        auth_method=AuthMethod.NONE,
        grant_types=(GrantType.AUTHORIZATION_CODE,),
        created_at=int(time.time()),
    )
    found.stores.clients.register(client, EVENT)
    return client.client_id


def _publish(found: Deployment) -> None:
    documents = found.known_clients.documents
    if documents is None:
        raise BenchError("metadata documents are switched off")
    documents.pin(URL, json.dumps({"client_id": URL, "client_name": "bench", "redirect_uris": [REDIRECT]}), EVENT)
    documents.keep(documents.find(URL, ORIGIN), ORIGIN)
