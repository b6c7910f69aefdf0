"""Security headers of every page, and which pages may let a form end elsewhere (AZ-10, AZ-11)."""

from flask import Flask, Response, request
from secure import Secure
from secure.headers import (
    ContentSecurityPolicy,
    ReferrerPolicy,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)

from ..settings import Settings

NONE, SELF = "'none'", "'self'"
HSTS_SECONDS = 365 * 86_400

# A form there may end, after redirects, at the client's redirect URI; Chromium holds `form-action` against each hop.
ENDING_AT_CLIENTS = frozenset({"oauth", "account"})


def install(app: Flask, settings: Settings) -> None:
    """Give every answer of *app* its headers. There is no CORS here: nobody's script reads these pages (DI-7)."""
    at_home = _headers(settings, form_action=True)
    leading_away = _headers(settings, form_action=False)

    @app.after_request
    def write(response: Response) -> Response:
        chosen = leading_away if request.blueprint in ENDING_AT_CLIENTS else at_home
        chosen.set_headers(response)
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response


def _headers(settings: Settings, *, form_action: bool) -> Secure:
    return Secure(
        csp=_policy(form_action=form_action),
        # `no-referrer` would make Chromium post `Origin: null`, and the strict CSRF check refuse every https form.
        referrer=ReferrerPolicy().same_origin(),
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
        hsts=StrictTransportSecurity().max_age(HSTS_SECONDS) if settings.secure else None,
    )


def _policy(*, form_action: bool) -> ContentSecurityPolicy:
    policy = ContentSecurityPolicy().default_src(NONE).style_src(SELF).img_src(SELF).font_src(SELF)
    policy = policy.frame_ancestors(NONE).base_uri(NONE)
    return policy.form_action(SELF) if form_action else policy
