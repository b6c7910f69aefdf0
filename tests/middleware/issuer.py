"""An authorization server's published side, real and on loopback: metadata, JWKS, and tokens signed with real keys."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

RESOURCE = "http://localhost:9001/mcp"
ENDPOINTS = ("authorization", "registration", "token")
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class SigningKey:
    """A private key with its name and algorithm."""

    kid: str
    algorithm: str
    private: PrivateKey

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half, as a JWKS lists it."""
        public = self.private.public_key()
        if isinstance(public, ec.EllipticCurvePublicKey):
            members = ECAlgorithm.to_jwk(public, as_dict=True)
        else:
            members = RSAAlgorithm.to_jwk(public, as_dict=True)
        return {**members, "kid": self.kid, "alg": self.algorithm, "use": "sig"}


@cache
def es256(kid: str = "es") -> SigningKey:
    return SigningKey(kid, "ES256", ec.generate_private_key(ec.SECP256R1()))


@cache
def rs256(kid: str = "rs", bits: int = 2048) -> SigningKey:
    return SigningKey(kid, "RS256", rsa.generate_private_key(65537, bits))


def private_jwk(key: SigningKey) -> dict[str, Any]:
    """Both halves of an ES256 key."""
    assert isinstance(key.private, ec.EllipticCurvePrivateKey)
    return {**ECAlgorithm.to_jwk(key.private, as_dict=True), "kid": key.kid, "alg": key.algorithm}


@dataclass
class Issuer:
    """What the server publishes, to be changed by tests at will; ``seen`` counts requests by path and status.

    ``etags`` stand in for true ones, and ``delays`` are seconds that answers take, by path. ``answers`` are to what is
    posted, by path: JSON, or status and bytes, or what makes these of the form; ``statuses`` go with them, 0 for
    hanging up without a word; ``received`` is what came, path and body.
    """

    url: str = ""
    keys: list[SigningKey] = field(default_factory=lambda: [es256(), rs256()])
    extra_keys: list[dict[str, Any]] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    metadata_path: str = "/.well-known/oauth-authorization-server"
    overrides: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    with_etag: bool = True
    etags: dict[str, str] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)
    seen: Counter[tuple[str, int]] = field(default_factory=Counter)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    received: list[tuple[str, bytes]] = field(default_factory=list)

    def document(self, path: str) -> tuple[int, bytes]:
        """Status and body of the document at *path*."""
        if path in self.overrides:
            return self.overrides[path]
        if path == self.metadata_path:
            places = {"jwks_uri": "jwks"} | {f"{name}_endpoint": name for name in ENDPOINTS}
            urls = {member: f"{self.url}/{place}" for member, place in places.items()}
            members = {"issuer": self.url, "response_types_supported": ["code"], **urls, **self.metadata}
            return 200, json.dumps(members).encode()
        if path.endswith("/jwks"):
            return 200, json.dumps({"keys": [key.jwk for key in self.keys] + self.extra_keys}).encode()
        return 404, b"{}"

    def answer(self, path: str, body: bytes) -> Any:
        """What the registration and token endpoints say to *body*: all that is asked for is given."""
        self.received.append((path, body))
        if path in self.answers:
            found = self.answers[path]
            return found(dict(parse_qsl(body.decode()))) if callable(found) else found
        if path == "/registration":
            return {**json.loads(body), "client_id": "a-client"}
        request = self.codes.pop(dict(parse_qsl(body.decode()))["code"])
        token = self.token(aud=request["resource"], scope=request["scope"])
        return {"access_token": token, "token_type": "Bearer", "expires_in": 600, "scope": request["scope"]}

    def answer_to(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer to *body*; the status 0 means none."""
        found = self.answer(path, body)
        if isinstance(found, tuple):
            return found
        return self.statuses.get(path, 201 if path == "/registration" else 200), json.dumps(found).encode()

    def code(self, request: dict[str, str]) -> str:
        """A code for the authorization *request*, granted as asked."""
        code = f"code-{len(self.codes)}"
        self.codes[code] = request
        return code

    def fetched(self, path: str, status: int | None = None) -> int:
        """How often *path* was asked for (and answered *status*)."""
        return sum(n for (where, code), n in self.seen.items() if where == path and status in (None, code))

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of a good token; a change to None leaves the claim out."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": RESOURCE,
            "sub": "alice",
            "client_id": "a-client",
            "jti": "1",
            "iat": now,
            "exp": now + 600,
            "scope": "notes:read",
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, key: SigningKey | None = None, headers: dict[str, Any] | None = None, **changes: Any) -> str:
        """A signed access token; *headers* and *changes* to the claims make it another."""
        key = key or es256()
        header = {"typ": "at+jwt", "kid": key.kid, **(headers or {})}
        header = {name: value for name, value in header.items() if value is not None}
        payload = json.dumps(self.claims(**changes)).encode()
        return jwt.PyJWS().encode(payload, key.private, key.algorithm, headers=header)


@contextmanager
def serving(issuer: Issuer, path: str = "", port: int = 0) -> Iterator[Issuer]:
    """*issuer* published on loopback, at a free port (or *port*, to come back where it was)."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(lambda: issuer))
    server.daemon_threads = True
    issuer.url = issuer.url or f"http://localhost:{server.server_port}{path}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(issuer: Callable[[], Issuer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = issuer().document(self.path)
            etag = issuer().etags.get(self.path) or f'"{sha256(body).hexdigest()[:16]}"'
            time.sleep(issuer().delays.get(self.path, 0))
            if status == 200 and issuer().with_etag and self.headers.get("If-None-Match") == etag:
                status, body = 304, b""
            issuer().seen[(self.path, status)] += 1
            self.send_response(status)
            if status in (301, 302):
                self.send_header("Location", body.decode())
            if issuer().with_etag:
                self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = issuer().answer_to(self.path, body)
            if not status:
                return
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: Any) -> None:
            pass

    return Handler
