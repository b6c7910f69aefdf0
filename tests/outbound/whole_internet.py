"""Run in a network namespace of its own, in which every address there is leads to one listener at port 443.

Says in JSON how many connections came while each refused form was fetched by the default policy, what became of a
public address, and how many of the refused forms a careless program would have reached.
"""

import json
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

from authserver.outbound.addresses import ClientSupplied
from authserver.outbound.fetch import FetchRefused, SafeFetch, trusting

from .authority import Authority
from .conftest import Names
from .peer import Peer, document, peer
from .test_addresses import PUBLIC, REFUSED

NAME = "client.example"
URL = f"https://{NAME}/client.json"


def main() -> None:
    """Listen, fetch, and print what happened."""
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        everywhere = socket.create_server(("::", 443), family=socket.AF_INET6, dualstack_ipv6=True)
        with peer(document(b"{}"), authority.serving(NAME), everywhere) as served:
            json.dump(_found(authority, served), sys.stdout)


def _found(authority: Authority, served: Peer) -> dict[str, Any]:
    trust = trusting(str(authority.ca_file))
    refused = sum(_is_refused(address, trust) for address in REFUSED.values())
    public = SafeFetch(ClientSupplied(), trust=trust, resolver=Names([PUBLIC])).get(URL).status
    connections = served.connections
    careless = sum(_is_reached(address) for address in REFUSED.values())
    return {"refused": refused, "public": public, "connections": connections, "careless": careless}


def _is_refused(address: str, trust: Any) -> bool:
    try:
        SafeFetch(ClientSupplied(), trust=trust, resolver=Names([address])).get(URL)
    except FetchRefused:
        return True
    return False


def _is_reached(address: str) -> bool:
    try:
        socket.create_connection((address, 443), 1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
