"""Security headers of every page; which may let a form end elsewhere, and which run a script of ours (AZ-10, AZ-11)."""

from flask import Flask, Response, g, request
from secure import Secure
from secure.headers import (
    ContentSecurityPolicy,
    ReferrerPolicy,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)

from ..settings import Settings
from .local import itself

NONE, SELF = "'none'", "'self'"
HSTS_SECONDS = 365 * 86_400

# A form there may end, after redirects, at the client's redirect URI; Chromium holds `form-action` against each hop.
ENDING_AT_CLIENTS = frozenset({"oauth", "account"})


def install(app: Flask, settings: Settings) -> None:
    """Give every answer of *app* its headers. There is no CORS here: nobody's script reads these pages (DI-7)."""
    at_home = _headers(settings, _policy().form_action(SELF))
    leading_away = of_leading_away(settings)
    asking_for_passkeys = _headers(settings, _policy().script_src(SELF))

    @app.after_request
    def write(response: Response) -> Response:
        asked = itself(request)
        chosen = leading_away if asked.blueprint in ENDING_AT_CLIENTS else at_home
        response.headers.update(asking_for_passkeys if g.get("runs_script") else chosen)
        if asked.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response


def of_leading_away(settings: Settings) -> dict[str, str]:
    """Those of an answer that may lead on to a client."""
    return _headers(settings, _policy())


def let_run_script() -> None:
    """Let the page that is being made run the scripts of this server, and no others."""
    g.setdefault("runs_script", True)


def _headers(settings: Settings, policy: ContentSecurityPolicy) -> dict[str, str]:
    made = Secure(
        csp=policy,
        # `no-referrer` would make Chromium post `Origin: null`, and the strict CSRF check refuse every https form.
        referrer=ReferrerPolicy().same_origin(),
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
        hsts=StrictTransportSecurity().max_age(HSTS_SECONDS) if settings.secure else None,
    )
    return dict(made.headers)


def _policy() -> ContentSecurityPolicy:
    policy = ContentSecurityPolicy().default_src(NONE).style_src(SELF).img_src(SELF).font_src(SELF)
    return policy.frame_ancestors(NONE).base_uri(NONE)
