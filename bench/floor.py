"""The floor: what a call costs when nothing is left of it but what makes its answer durable.

The server's own workers, with all that they do beside, serve an application that takes calls apart without a look and
goes to the store's verbs: the statement that checks, uses up, creates and records; the successor that is sealed; the
signature. No secret, policy, ceiling, form or origin is looked at. So this is about as fast as it can become over these
statements, in Python and under this worker. `peers` runs it beside ours.
"""

import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import flask
from flask import Flask

from authserver.cli.serve import Server
from authserver.protocol import access_token, credential
from authserver.protocol.access_token import ClientAuthority, TokenId
from authserver.protocol.audit import Event, Origin
from authserver.protocol.authorization_code import NewCode
from authserver.protocol.client import AuthMethod, Client, ClientKind, GrantType
from authserver.protocol.grants import Outcome, TokenRequest
from authserver.services.deployment import Deployment
from authserver.settings import load
from authserver.store.approval import Approval
from authserver.store.standing import Place
from authserver.web import cookies

from .approvals import SCOPES

ORIGIN = Origin("127.0.0.1", "bench")
LIFETIME = 300  # seconds, of access tokens and codes


class Given(dict[str, str]):
    """Parameters of a call."""

    def need(self, name: str) -> str:
        """The one of that *name*."""
        return self[name]


class Floor:
    """The application. What is asked of other paths than these four is left to the real one."""

    def __init__(self, application: Flask) -> None:
        """*application* is the real one, whose state this one has too."""
        found: Deployment = application.extensions["authserver"]
        self._application = application
        self._found = found
        self._people: dict[str, tuple[bytes, bytes]] = {}
        self._claims: dict[str, tuple[TokenId, dict[str, Any]]] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:  # noqa: ANN401
        """Answer a call (PEP 3333)."""
        if environ["PATH_INFO"] == "/token":
            return _document(self._tokens(_form(environ)), start_response)
        if environ["PATH_INFO"] == "/introspect":
            return _document(self._introspected(_form(environ)), start_response)
        if environ["PATH_INFO"] == "/register":
            return _document(self._registered(json.load(environ["wsgi.input"])), start_response, "201 Created")
        if environ["PATH_INFO"] == "/authorize":
            asked = Given(parse_qsl(environ["QUERY_STRING"]))
            answer = urlencode({"code": self._code(asked, environ["HTTP_COOKIE"]), "state": asked["state"]})
            location = f"{asked['redirect_uri']}?{answer}"
            start_response("302 Found", [("Location", location), ("Content-Length", "0")])
            return [b""]
        return self._application(environ, start_response)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        """What the workers want of the real one beside answers."""
        return getattr(self._application, name)

    def _tokens(self, form: Given) -> dict[str, Any]:
        outcome = self._outcome(form)
        authority, formats = outcome.authority, self._found.token.formats
        issued_at, scopes = int(time.time()), authority.scopes
        claims = access_token.claims(
            authority, issuer=formats.issuer, scopes=scopes, issued_at=issued_at, lifetime=LIFETIME
        )
        token = self._found.keyring.sign(claims, typ=access_token.TYPE, alg=formats.algorithm)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME, "scope": " ".join(scopes)}
        return answer | ({"refresh_token": outcome.refresh_token} if outcome.refresh_token else {})

    def _outcome(self, form: Given) -> Outcome:
        client: Any = SimpleNamespace(client_id=form["client_id"])
        event = Event("token.issued", f"client:{client.client_id}", ORIGIN, client_id=client.client_id)
        if form["grant_type"] != GrantType.CLIENT_CREDENTIALS:
            given: Any = form
            return self._found.token.grants[form["grant_type"]].act(TokenRequest(client, given, None, (), event))
        authority = ClientAuthority(client.client_id, form["resource"], SCOPES[:1])
        if self._found.stores.access_tokens.issue(authority, tuple(SCOPES), event) is None:
            raise LookupError(client.client_id)
        return Outcome(authority, None)

    def _registered(self, sent: dict[str, Any]) -> dict[str, Any]:
        """A public client, taken as it says it is."""
        token = credential.mint(credential.Prefix.REGISTRATION)
        client = Client(
            client_id=credential.identifier(),
            kind=ClientKind.DYNAMIC,
            name=sent["client_name"],
            redirect_uris=tuple(sent["redirect_uris"]),
            auth_method=AuthMethod(sent["token_endpoint_auth_method"]),
            grant_types=tuple(sent["grant_types"]),
            created_at=int(time.time()),
            registration_digest=credential.digest(token),
        )
        event = Event("client.registered", f"client:{client.client_id}", ORIGIN, client_id=client.client_id)
        self._found.stores.clients.register(client, event)
        issued = {"client_id": client.client_id, "client_id_issued_at": client.created_at}
        return {**sent, **issued, "registration_access_token": token}

    def _introspected(self, form: Given) -> dict[str, Any]:
        """What holds of a token now, whose signature is verified once."""
        token = form["token"]
        token_id, claims = self._claims.get(token) or self._read(token)
        authority = self._found.stores.access_tokens.authority(token_id)
        if authority is None:
            raise LookupError(token_id)
        return {"active": True, **claims, "scope": " ".join(authority.scopes), "token_type": "Bearer"}

    def _read(self, token: str) -> tuple[TokenId, dict[str, Any]]:
        claims = self._found.token.formats.read(token)
        token_id = TokenId.parse(claims["jti"]) if claims else None
        if claims is None or token_id is None:
            raise LookupError("a token of ours is not known")
        found = self._claims[token] = token_id, claims
        return found

    def _code(self, asked: Given, cookie: str) -> str:
        """A code for whoever has allowed the client what it asks for."""
        person = self._people.get(cookie) or self._person(cookie)
        here = Place(asked["client_id"], urlsplit(asked["redirect_uri"]).hostname or "", asked["resource"], person[1])
        session = self._found.stores.sessions.find(person[0], here)
        if session is None or session.stood is None:
            raise LookupError(cookie)
        standing = session.stood.standing
        approval = Approval(
            session.user.id,
            here.client_id,
            here.device_digest,
            here.redirect_host,
            here.resource,
            tuple(SCOPES),
            kept=standing.grant_id,
            silent=True,
            client_name=standing.client_name or "",
            client_identity=standing.client_identity or b"",
        )
        code = credential.mint(credential.Prefix.CODE)
        new = NewCode(
            digest=credential.digest(code),
            client_id=here.client_id,
            redirect_uri=asked["redirect_uri"],
            challenge=asked["code_challenge"],
            resource=here.resource,
            scopes=tuple(SCOPES),
            auth_time=session.auth_time,
            methods=session.methods,
            wants_refresh=True,
            lifetime=LIFETIME,
        )
        event = Event("grant.approved", "user", ORIGIN).about(user_id=session.user.id, resource=here.resource)
        self._found.stores.grants.approve(approval, new, event.about(client_id=here.client_id))
        return code

    def _person(self, cookie: str) -> tuple[bytes, bytes]:
        """The digests of a browser's session and device, which are found out once."""
        with self._application.test_request_context(headers={"Cookie": cookie}):
            secret, device = flask.session["_user_id"], flask.request.cookies[cookies.DEVICE]
        found = self._people[cookie] = credential.digest(secret), credential.digest(device)
        return found


def _form(environ: dict[str, Any]) -> Given:
    return Given(parse_qsl(environ["wsgi.input"].read().decode()))


def _document(found: dict[str, Any], start_response: Callable[..., Any], status: str = "200 OK") -> list[bytes]:
    body = json.dumps(found).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


class Serving(Server):
    """gunicorn as ours runs, with the floor in place of the application."""

    def load(self) -> Any:  # noqa: ANN401 - gunicorn asks for any application
        """The application of one worker, made after the fork."""
        return Floor(super().load())


if __name__ == "__main__":
    Serving(load()).run()
