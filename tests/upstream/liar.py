"""A provider that says whatever a test wants, over https on loopback: the real one cannot be made to lie."""

import base64
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

CODE = "a code"
ACCESS_TOKEN = "an access token"


def public(key: ec.EllipticCurvePrivateKey, kid: str) -> dict[str, Any]:
    """The JWK of *key*."""
    made: dict[str, Any] = jwt.get_algorithm_by_name("ES256").to_jwk(key.public_key(), as_dict=True)
    return {**made, "kid": kid, "alg": "ES256", "use": "sig"}


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A JWT with *header* and no signature."""
    parts = (json.dumps(part).encode() for part in (header, claims))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


@dataclass
class Liar:
    """``answers`` are what it says by path: a value as JSON, or a status with a body. ``asked`` are posted forms.

    ``parents`` are the ``traceparent`` of all that was asked, by path.
    """

    issuer: str = ""
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    kid: str = "first"
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, list[str]], str | None]] = field(default_factory=list)
    parents: list[tuple[str, str | None]] = field(default_factory=list)

    def metadata(self, **changes: Any) -> dict[str, Any]:
        """What an honest provider publishes, with *changes*."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            **changes,
        }

    def be_honest(self) -> None:
        """Publish what is right, and sign in nobody yet."""
        self.answers.clear()
        self.answers["/.well-known/openid-configuration"] = self.metadata()
        self.answers["/jwks"] = {"keys": [public(self.key, self.kid)]}

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """An ID token of *claims*."""
        # Not by `jwt.encode`, which refuses to write what is not right.
        return jwt.PyJWS().encode(json.dumps(claims).encode(), self.key, "ES256", {"kid": self.kid, **header})

    def gives(self, id_token: object) -> None:
        """From now on each code is good for *id_token*."""
        self.answers["/token"] = {"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": id_token}


@contextmanager
def liar(context: ssl.SSLContext) -> Iterator[Liar]:
    """A running one, honest at first."""
    found = Liar()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(found))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found.issuer = f"https://localhost:{server.server_address[1]}"
    found.be_honest()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(of: Liar) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            of.asked.append((self.path, {}, self.headers["Authorization"]))
            self._say(of.answers.get(self.path.partition("?")[0], (404, b"")))

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            of.asked.append((self.path, parse_qs(form), self.headers["Authorization"]))
            self._say(of.answers.get(self.path, (404, b"")))

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Nothing."""

        def _say(self, answer: Any) -> None:
            of.parents.append((self.path, self.headers["traceparent"]))
            status, body = answer if isinstance(answer, tuple) else (200, json.dumps(answer).encode())
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
