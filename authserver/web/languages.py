"""The language of a page: what the app asked for, else what the browser prefers, else English.

Texts stand in the templates and in code (`protocol.msg`) in English; ``translations`` has the others, as gettext does.
"""

import re
from collections.abc import Iterable
from gettext import NullTranslations
from typing import Protocol, cast
from urllib.parse import parse_qs, urlsplit

from flask import Flask, g, has_request_context, request
from flask_babel import Babel, get_locale, get_translations
from markupsafe import Markup

from ..accounts.catalogues import CATALOGUES
from ..protocol.msg import LANGUAGES, Filled
from . import next_page

MOST_ASKED = 10  # languages that an app may list
TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8}){0,8}")  # RFC 5646 §2.1, roughly


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
    return _first(_asked()) or _preferred() or LANGUAGES[0]


def onwards() -> str:
    """What an identity provider is asked for, as ``ui_locales``: what the app listed, else what its own page is in.

    Empty if the browser prefers neither of ours: the provider may have what it does prefer.
    """
    tags = [tag for tag in _asked() if TAG.fullmatch(tag)]
    return " ".join(tags) or _preferred() or ""


def _preferred() -> str | None:
    """The one of `LANGUAGES` that the browser prefers, if any."""
    return _first(tag for tag, quality in request.accept_languages if quality)


def _first(tags: Iterable[str]) -> str | None:
    """The first of *tags* that we have, by its language alone: ``de-AT`` before ``en`` is German."""
    names = (tag.partition("-")[0].lower() for tag in tags)
    return next((name for name in names if name in LANGUAGES), None)


def _asked() -> list[str]:
    """What the app listed, the most wanted first: in the request, or in the one that a sign-in leads back to.

    The form is not asked: it may be too large to be read, and then there is still a page to be shown.
    """
    onwards = request.args.get("next", "")
    query = parse_qs(urlsplit(onwards).query) if next_page.is_own_page(onwards) else {}
    listed = request.args.get("ui_locales") or next(iter(query.get("ui_locales", ())), "")
    return listed.split()[:MOST_ASKED]
