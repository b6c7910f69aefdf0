"""The adapters for frameworks, where an application is open but for some of its views."""

from typing import Any

import pytest
from flask import Flask
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from mcp_token_guard import Guard, current_caller, requires
from mcp_token_guard.adapters.fastmcp import GuardAuth
from mcp_token_guard.adapters.flask import answer_refusals, protect, token_required
from mcp_token_guard.adapters.starlette import CallerRequired
from mcp_token_guard.asgi import SCOPE_KEY
from tests.middleware.asgi_client import Answer, Client
from tests.middleware.issuer import Issuer

pytestmark = pytest.mark.requirement("RS-1", "RS-3")

CHALLENGE = 'scope="notes:read notes:write"'


class Open:
    """Stands where a guard would: the application is asked as it is."""

    def asgi(self, app: Any) -> Any:
        return app


def authorization(issuer: Issuer, scope: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {issuer.token(scope=scope)}"}


def test_a_flask_view_can_ask_for_a_token_of_its_own(guard: Guard, issuer: Issuer) -> None:
    app = Flask("open")
    answer_refusals(app, guard)
    app.add_url_rule("/open", view_func=lambda: "anyone")
    view = token_required(guard, "notes:write")(lambda: current_caller().subject)
    app.add_url_rule("/own", endpoint="own", view_func=view)
    visitor = app.test_client()
    assert visitor.get("/open").text == "anyone"
    assert visitor.get("/own", headers=authorization(issuer, "notes:read notes:write")).text == "alice"
    missing, short = visitor.get("/own"), visitor.get("/own", headers=authorization(issuer, "notes:read"))
    assert (missing.status_code, short.status_code) == (401, 403)
    assert CHALLENGE in short.headers["WWW-Authenticate"]
    assert short.json["error"]["code"] == 403
    assert visitor.get("/own?access_token=x").status_code == 400


def test_a_view_of_a_protected_flask_application_says_what_it_requires(guard: Guard, issuer: Issuer) -> None:
    app = Flask("closed")
    protect(app, guard)
    app.add_url_rule("/own", endpoint="own", view_func=requires("notes:write")(lambda: current_caller().subject))
    visitor = app.test_client()
    assert visitor.get("/own").status_code == 401
    short = visitor.get("/own", headers=authorization(issuer, "notes:read"))
    assert (short.status_code, "insufficient_scope" in short.headers["WWW-Authenticate"]) == (403, True)
    assert short.headers.getlist("Access-Control-Allow-Origin") == ["*"]
    assert visitor.get("/own", headers=authorization(issuer, "notes:read notes:write")).text == "alice"
    assert visitor.get("/nothing", headers=authorization(issuer, "notes:read")).status_code == 404


async def test_a_starlette_route_depends_on_its_caller(guard: Guard, issuer: Issuer) -> None:
    depends = CallerRequired(guard, "notes:write")

    async def own(request: Request) -> PlainTextResponse:
        caller = await depends(request)
        assert request.scope[SCOPE_KEY] is caller
        return PlainTextResponse(caller.subject)

    client = Client(Open(), Starlette(routes=[Route("/own", own)]))  # type: ignore[arg-type]

    async def ask(token: str | None) -> Answer:
        return await client.send("GET", "/own", token=token)

    assert (await ask(issuer.token(scope="notes:read notes:write"))).body == b"alice"
    short = await ask(issuer.token())
    assert (short.status, CHALLENGE in short.headers["www-authenticate"]) == (403, True)
    assert (await ask(None)).status == 401


async def test_fastmcp_may_ask_the_guard_for_a_token_alone(guard: Guard, issuer: Issuer) -> None:
    provider = GuardAuth(guard)
    seen = await provider.verify_token(issuer.token())
    assert (seen.subject, seen.client_id, seen.scopes) == ("alice", "a-client", ["notes:read"])
    assert await provider.verify_token("x") is None
