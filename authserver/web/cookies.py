"""The cookies: the browser session, the device that grants are tied to (AZ-10, AZ-14), a link that was mailed."""

import re
import secrets
from datetime import timedelta
from typing import cast

from flask import Flask, Response, g, request

from ..settings import Settings
from .deployment import deployment

HOST_PREFIX = "__Host-"
SESSION = "session"
DEVICE = "device"
LINK = "link"
DEVICE_AGE = timedelta(days=400)  # the longest that browsers keep a cookie (RFC 6265bis §5.5)
DEVICE_FORM = re.compile(r"[A-Za-z0-9_-]{43}")


def name(cookie: str, settings: Settings) -> str:
    """The name of *cookie*: with the prefix that ties it to host and https, where the issuer is https (RFC 6265bis)."""
    return HOST_PREFIX + cookie if settings.secure else cookie


def configure(app: Flask, settings: Settings) -> None:
    """Let Flask's signed session cookie be as AZ-10 wants it; it carries the CSRF token and the session's secret."""
    app.config.update(
        SESSION_COOKIE_NAME=name(SESSION, settings),
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=settings.session_lifetime),
        SESSION_REFRESH_EACH_REQUEST=False,
    )


def device() -> str:
    """The secret of this browser's device cookie; a new one (256 bits) where it brought none."""
    if "device" not in g:
        brought = request.cookies.get(name(DEVICE, deployment().settings), "")
        g.device = brought if DEVICE_FORM.fullmatch(brought) else secrets.token_urlsafe(32)
    return cast(str, g.device)


def keep_device(response: Response) -> Response:
    """Have the browser keep its device cookie, for another 400 days from now."""
    settings = deployment().settings
    response.set_cookie(
        name(DEVICE, settings),
        device(),
        max_age=DEVICE_AGE,
        path="/",
        secure=settings.secure,
        httponly=True,
        samesite="Lax",
    )
    return response
