"""What it costs that a client proves itself by a key: the same token request, by an assertion and by a secret.

Both are handed to the token endpoint's own service in this process, over a durable PostgreSQL: a token for the client
itself, with its audit row. An assertion adds a signature to verify, and the row that lets it be used only once.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jwt

from authserver.keys import pair
from authserver.protocol import client_assertion, credential
from authserver.protocol.audit import Event, Origin
from authserver.protocol.client import AuthMethod, Client, ClientKind, GrantType
from authserver.protocol.form import Form
from authserver.services.deployment import Deployment

from . import cpu
from .approvals import SCOPES
from .database import Database, database
from .ours import prepared
from .report import Cost

RESOURCE = "http://localhost:9001/mcp"  # nobody calls it
ALGORITHMS = ("ES256", "EdDSA", "RS256")
CALLS = 2_000
SLICE = 100
LIFETIME = 300  # seconds: a round takes a few


def costs(pairs: int) -> list[Cost]:
    """Measure *pairs* times, each algorithm and then a secret."""
    with _setting() as (postgresql, found):
        bench = _Proofs(postgresql, found)
        rounds = [bench.round() for _ in range(pairs + 1)][1:]  # the first one warms up
    by_secret, *by_keys = zip(*rounds, strict=True)
    return [Cost(alg, by_key, by_secret) for alg, by_key in zip(ALGORITHMS, by_keys, strict=True)]


@contextmanager
def _setting() -> Iterator[tuple[Database, Deployment]]:
    # In the system's own place for temporary files: the path of a Unix socket has about 100 bytes.
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        home = Path(name, "home")
        home.mkdir()
        with database(Path(name)) as postgresql, prepared(home, postgresql, RESOURCE, port=0) as found:
            yield postgresql, found


@dataclass(frozen=True, slots=True)
class _Proofs:
    postgresql: Database
    found: Deployment

    def round(self) -> tuple[float, ...]:
        """CPU microseconds per call, here and in the database: by a secret, then by a key of each algorithm."""
        loads = [self._by_secret(), *map(self._by_key, ALGORITHMS)]
        spent = [0.0] * len(loads)
        for start in range(0, CALLS, SLICE):  # in turn, so that a drift of the machine meets all of them
            for number, forms in enumerate(loads):
                spent[number] += self._seconds(forms[start : start + SLICE])
        return tuple(seconds * 1e6 / CALLS for seconds in spent)

    def _seconds(self, forms: Sequence[Form]) -> float:
        before = time.process_time() + cpu.seconds(self.postgresql.pid)
        for form in forms:
            self.found.token.answer(form, None, Origin())
        return time.process_time() + cpu.seconds(self.postgresql.pid) - before

    def _by_secret(self) -> list[Form]:
        secret = credential.mint(credential.Prefix.CLIENT_SECRET)
        client_id = self._register(AuthMethod.SECRET_POST, secret_digest=credential.digest(secret))
        return [_form(client_id=client_id, client_secret=secret)] * CALLS

    def _by_key(self, alg: str) -> list[Form]:
        key = pair.generate(alg)
        client_id = self._register(AuthMethod.PRIVATE_KEY_JWT, jwks={"keys": [key.public_jwk]})
        return [
            _form(client_assertion_type=client_assertion.TYPE, client_assertion=self._assertion(client_id, key))
            for _ in range(CALLS)
        ]

    def _assertion(self, client_id: str, key: pair.KeyPair) -> str:
        now = int(time.time())
        claims = {"iss": client_id, "sub": client_id, "aud": self.found.settings.issuer, "iat": now}
        claims |= {"exp": now + LIFETIME, "jti": credential.identifier()}
        return jwt.encode(claims, key.private, key.alg, {"kid": key.kid})

    def _register(self, method: AuthMethod, **proof: Any) -> str:  # noqa: ANN401 - fields of Client
        client = Client(
            client_id=credential.identifier(),
            kind=ClientKind.PREREGISTERED,
            name="bench",
            redirect_uris=(),
            auth_method=method,
            grant_types=(GrantType.CLIENT_CREDENTIALS,),
            created_at=int(time.time()),
            ceilings={RESOURCE: SCOPES},
            **proof,
        )
        self.found.stores.clients.preregister(client, Event("bench.prepared", "system"))
        return client.client_id


def _form(**members: str) -> Form:
    return Form({"grant_type": GrantType.CLIENT_CREDENTIALS, **members}, (RESOURCE,))
