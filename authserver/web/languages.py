"""The language of a page: what the app asked for, else what the browser prefers, else English.

Texts stand in the templates and in code (`protocol.msg`) in English; ``translations`` has the others, as gettext does.
"""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from flask import Flask, request
from flask_babel import Babel, get_locale, gettext
from werkzeug.datastructures import LanguageAccept

from ..protocol.msg import Filled
from . import next_page

LANGUAGES = ("en", "de")
CATALOGUES = Path(__file__).parent.parent / "translations"
MOST_ASKED = 10  # languages that an app may list


def install(app: Flask) -> None:
    """Give templates ``_``, ``trans`` blocks and the language."""
    app.config.update(BABEL_TRANSLATION_DIRECTORIES=str(CATALOGUES), BABEL_DEFAULT_LOCALE=LANGUAGES[0])
    Babel(app, locale_selector=wanted)
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.globals["get_locale"] = get_locale
    app.jinja_env.filters["translated"] = translated


def translated(text: str) -> str:
    """A text that stands in code (`protocol.msg`) in the page's language; what is none of these stays as it is.

    In templates ``_`` is for texts that stand there: it takes what it is given for HTML.
    """
    if isinstance(text, Filled):
        return text.put(translated)
    return gettext(text) if text else text


def wanted() -> str:
    """The one of `LANGUAGES` for the running request (OpenID Connect Core 1.0 §3.1.2.1, RFC 9110 §12.5.4)."""
    asked = LanguageAccept([(tag, 1) for tag in _asked()])
    return asked.best_match(LANGUAGES) or request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def _asked() -> list[str]:
    """What the app listed, the most wanted first: in the request, or in the one that a sign-in leads back to."""
    query = parse_qs(urlsplit(next_page.wanted() or "").query)
    listed = request.args.get("ui_locales") or next(iter(query.get("ui_locales", ())), "")
    return listed.split()[:MOST_ASKED]
