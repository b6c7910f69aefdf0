"""An issuer for the guards: metadata and JWKS on loopback, and tokens signed in bulk."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key

KID = "bench"
LIFETIME = 600  # seconds
METADATA_PATH = "/.well-known/oauth-authorization-server"


@dataclass(frozen=True, slots=True)
class Issuer:
    """A running issuer. Its tokens are RFC 9068 JWTs, signed by ES256."""

    url: str
    key: EllipticCurvePrivateKey

    @property
    def jwks_uri(self) -> str:
        """Where its key is."""
        return f"{self.url}/jwks"

    def token(self, resource: str, scope: str) -> str:
        """A new access token for *resource*."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": resource,
            "sub": "person",
            "client_id": "client",
            "jti": uuid4().hex,
            "iat": now,
            "exp": now + LIFETIME,
            "scope": scope,
        }
        return jwt.encode(claims, self.key, "ES256", {"typ": "at+jwt", "kid": KID})


@contextmanager
def issuer() -> Iterator[Issuer]:
    """Serve an issuer with a new key until the block ends."""
    key = generate_private_key(SECP256R1())
    documents: dict[str, bytes] = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(documents))
    made = Issuer(f"http://127.0.0.1:{server.server_port}", key)
    documents.update(_documents(made))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _documents(made: Issuer) -> dict[str, bytes]:
    jwk = jwt.get_algorithm_by_name("ES256").to_jwk(made.key.public_key(), as_dict=True)
    metadata = {
        "issuer": made.url,
        "authorization_endpoint": f"{made.url}/authorize",
        "token_endpoint": f"{made.url}/token",
        "jwks_uri": made.jwks_uri,
        "response_types_supported": ["code"],
    }
    keys = {"keys": [{**jwk, "kid": KID, "alg": "ES256", "use": "sig"}]}
    return {METADATA_PATH: json.dumps(metadata).encode(), "/jwks": json.dumps(keys).encode()}


def _handler(documents: dict[str, bytes]) -> type[BaseHTTPRequestHandler]:
    class Documents(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = documents.get(self.path)
            self.send_response_only(404 if body is None else 200)  # which writes no line to the log
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

    return Documents
