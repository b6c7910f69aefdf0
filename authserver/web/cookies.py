"""The cookies: the browser session, the device that grants are tied to (AZ-10, AZ-14), and what is given back once.

That is a link that was mailed, and what opens a session of a browser that stays signed in.
"""

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, Request, Response, g, has_app_context, request, session
from flask.sessions import NullSession, SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature
from werkzeug.http import dump_cookie

from ..settings import Settings
from ..store.failures import UNAVAILABLE, Unavailable
from .deployment import deployment
from .local import itself

HOST_PREFIX = "__Host-"
SESSION = "session"
DEVICE = "device"
LINK = "link"
STAYS = "stays"
DEVICE_AGE = timedelta(days=400)  # the longest that browsers keep a cookie (RFC 6265bis §5.5)
DEVICE_FORM = re.compile(r"[A-Za-z0-9_-]{43}")


class UnreadSession(NullSession):
    """The session of a request that came while the database was not available: what signs cookies is kept there."""

    def __init__(self, why: Unavailable) -> None:
        super().__init__()
        self.why = why


class Sessions(SecureCookieSessionInterface):
    """Flask's sessions, signed by one key from the beginning of a request to its end."""

    def __init__(self) -> None:
        self._made: tuple[str | bytes | None, Any] = (None, None)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session that *request* brings."""
        try:
            signer = self.get_signing_serializer(app)
            brought = request.cookies.get(self.get_cookie_name(app), "")
            return self.session_class(_read(signer, brought, app.permanent_session_lifetime))
        except UNAVAILABLE as why:
            return UnreadSession(why)

    def get_signing_serializer(self, app: Flask) -> Any:  # noqa: ANN401 - what Flask signs with
        """What signs and reads the cookie in this request."""
        if not has_app_context():
            return super().get_signing_serializer(app)
        kept = itself(g)
        if "cookie_signer" not in kept:
            kept.cookie_signer = self._signer(app)
        return kept.cookie_signer

    def kept(self, app: Flask, brought: str) -> dict[str, Any]:
        """What the cookie *brought* keeps, outside of Flask's requests; nothing if it is none of ours."""
        return _read(self._signer(app), brought, app.permanent_session_lifetime) or {}

    def _signer(self, app: Flask) -> Any:  # noqa: ANN401 - what Flask signs with
        key = app.secret_key
        made_for, signer = self._made
        if made_for != key:
            signer = super().get_signing_serializer(app)
            self._made = (key, signer)
        return signer


def name(cookie: str, settings: Settings) -> str:
    """The name of *cookie*: with the prefix that ties it to host and https, where the issuer is https (RFC 6265bis)."""
    return HOST_PREFIX + cookie if settings.secure else cookie


def configure(app: Flask, settings: Settings) -> None:
    """Let Flask's signed session cookie be as AZ-10 wants it; it carries the CSRF token and the session's secret.

    A browser forgets it as it closes: which one stays signed in, its person says.
    """
    app.config.update(
        SESSION_COOKIE_NAME=name(SESSION, settings),
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
    )
    app.session_interface = Sessions()
    app.before_request(_refuse_unread)
    app.after_request(_tell)


def _read(signer: Any, cookie: str, age: timedelta) -> dict[str, Any] | None:  # noqa: ANN401 - what Flask signs with
    """What *cookie* keeps, None if it is none of ours or older than *age*.

    One from the future is good: it comes from a node whose clock is ahead of ours. Flask would drop it.
    """
    try:
        kept, signed_at = signer.loads(cookie, return_timestamp=True)
    except BadSignature:
        return None
    return kept if datetime.now(UTC) - signed_at <= age else None


def _refuse_unread() -> None:
    if isinstance(session, UnreadSession):
        raise session.why


def device() -> str:
    """The secret of this browser's device cookie; a new one (256 bits) where it brought none."""
    kept = itself(g)
    found: str | None = kept.get("device")
    if found is None:
        found = kept.device = known_device() or secrets.token_urlsafe(32)
    return found


def known_device() -> str | None:
    """The secret that this browser brought in its device cookie."""
    return device_of(request.cookies, deployment().settings)


def device_of(brought: Mapping[str, str], settings: Settings) -> str | None:
    """The secret of a device cookie among those *brought*."""
    found = brought.get(name(DEVICE, settings), "")
    return found if DEVICE_FORM.fullmatch(found) else None


def keep_device(response: Response) -> Response:
    """Have the browser keep its device cookie, for another 400 days from now."""
    response.headers.add("Set-Cookie", device_kept(device(), deployment().settings))
    return response


def device_kept(device: str, settings: Settings) -> str:
    """What has a browser keep *device* for 400 days: the value of ``Set-Cookie``."""
    return _kept(DEVICE, device, DEVICE_AGE, settings)


def staying() -> str | None:
    """What this browser keeps to stay signed in, if it does."""
    return request.cookies.get(name(STAYS, deployment().settings))


def stay(token: str | None, seconds: int = 0) -> None:
    """Have the browser keep *token* for so many *seconds*, to stay signed in; None: nothing any more."""
    g.stays = (token or "", timedelta(seconds=seconds))


def _tell(response: Response) -> Response:
    if "stays" in g:
        value, age = g.stays
        response.headers.add("Set-Cookie", _kept(STAYS, value, age, deployment().settings))
    return response


def _kept(cookie: str, value: str, age: timedelta, settings: Settings) -> str:
    return dump_cookie(
        name(cookie, settings),
        value,
        max_age=age,
        path="/",
        secure=settings.secure,
        httponly=True,
        samesite="Lax",
        sync_expires=False,  # every browser goes by the age, and a date would be the dearest part of this
    )
