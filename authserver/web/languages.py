"""The language of a page: what the app asked for, else what the browser prefers, else English.

Texts stand in the templates and in code (`protocol.msg`) in English; ``translations`` has the others, as gettext does.
"""

from gettext import NullTranslations
from typing import Protocol, cast
from urllib.parse import parse_qs, urlsplit

from flask import Flask, g, has_request_context, request
from flask_babel import Babel, get_locale, get_translations
from markupsafe import Markup
from werkzeug.datastructures import LanguageAccept

from ..accounts.catalogues import CATALOGUES
from ..protocol.msg import LANGUAGES, Filled
from . import next_page

MOST_ASKED = 10  # languages that an app may list


class Refused(Protocol):
    """A text in ``words`` (`protocol.msg`), with a place for each of ``values``."""

    @property
    def words(self) -> str:
        """The text."""

    @property
    def values(self) -> tuple[object, ...]:
        """What its places are for."""


def install(app: Flask) -> None:
    """Give templates ``_``, ``trans`` blocks and the language."""
    app.config.update(BABEL_TRANSLATION_DIRECTORIES=str(CATALOGUES), BABEL_DEFAULT_LOCALE=LANGUAGES[0])
    Babel(app, locale_selector=wanted)
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    # Not the extension's own: a page has a hundred texts, and those look for the language at each.
    app.jinja_env.globals.update(_=_shown, gettext=_shown, ngettext=_counted, get_locale=get_locale)
    app.jinja_env.filters.update(translated=translated, own=own)


def translated(text: str) -> str:
    """A text that stands in code (`protocol.msg`) in the page's language; what is none of these stays as it is.

    In templates ``_`` is for texts that stand there: it takes what it is given for HTML.
    """
    if isinstance(text, Filled):
        return text.put(translated)
    return _catalogue().gettext(text) if text else text


def own(text: str) -> str:
    """*text* in the page's language if it is `Filled`; what somebody else chose stays, though it be a word of ours."""
    return text.put(translated) if isinstance(text, Filled) else text


def told(refused: Refused) -> str:
    """Why something was refused, in the page's language; what others chose in it stays as it is."""
    return translated(refused.words).format(*refused.values)


def ngettext(one: str, many: str, number: int) -> str:
    """*one* or *many*, with *number* for ``%(num)d``, in the page's language."""
    return _catalogue().ngettext(one, many, number) % {"num": number}


def _shown(text: str, **values: object) -> Markup:
    """A text of a template, which is HTML, with *values* in their places, which are not."""
    said = Markup(_catalogue().gettext(text))  # noqa: S704 - it is written out in the template
    return said % values if "%" in said else said


def _counted(one: str, many: str, num: int, **values: object) -> Markup:
    said = Markup(_catalogue().ngettext(one, many, num))  # noqa: S704 - as above
    return said % {"num": num, **values}


def _catalogue() -> NullTranslations:
    """That of the running request, found once; of English, where there is none."""
    try:
        return cast(NullTranslations, g.catalogue)
    except (AttributeError, RuntimeError):
        return _found() if has_request_context() else NullTranslations()


def _found() -> NullTranslations:
    g.catalogue = get_translations()
    return cast(NullTranslations, g.catalogue)


def wanted() -> str:
    """The one of `LANGUAGES` for the running request (OpenID Connect Core 1.0 §3.1.2.1, RFC 9110 §12.5.4)."""
    asked = LanguageAccept([(tag, 1 - place / MOST_ASKED) for place, tag in enumerate(_asked())])
    return asked.best_match(LANGUAGES) or request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def _asked() -> list[str]:
    """What the app listed, the most wanted first: in the request, or in the one that a sign-in leads back to.

    The form is not asked: it may be too large to be read, and then there is still a page to be shown.
    """
    onwards = request.args.get("next", "")
    query = parse_qs(urlsplit(onwards).query) if next_page.is_own_page(onwards) else {}
    listed = request.args.get("ui_locales") or next(iter(query.get("ui_locales", ())), "")
    return listed.split()[:MOST_ASKED]
