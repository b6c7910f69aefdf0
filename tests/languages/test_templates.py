"""No template prints a text past the catalogues, and none lets a value through as HTML."""

from pathlib import Path

import pytest

import authserver
from tests.languages.texts import left_out, translated_variables

TEMPLATES = Path(authserver.__file__).parent / "templates"
ALL = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))


@pytest.mark.parametrize("name", ALL)
def test_every_text_of_a_template_goes_through_gettext(name):
    assert left_out((TEMPLATES / name).read_text()) == []


@pytest.mark.parametrize("name", ALL)
def test_what_is_taken_for_html_is_written_in_the_template(name):
    assert translated_variables((TEMPLATES / name).read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Sign in</p>",
        "{% if x %}<b>No</b>{% endif %}",
        '<input placeholder="Your name">',
        '<a aria-label="Remove {{ name }}">{{ name }}</a>',
        "{{ 'Change it' if x else y }}",
        "{{ x or 'none' }}",
        "{{ 'of ' ~ name }}",
        "{{ table(['Tool', 'Outcome']) }}",
        "{% set kinds = {'totp': 'Authenticator app'} %}",
        "{{ parts.form('Use a passkey') }}",
        "{{ _('Hello %(name)s', name='Some Body') }}",
        "{% block title %}Sign in{% endblock %}",
    ],
)
def test_a_text_that_is_left_out_is_found(source):
    assert left_out(source)


@pytest.mark.parametrize(
    "source",
    [
        "<p>{{ _('Sign in') }}</p>",
        "{% trans name=name %}Hello <b>{{ name }}</b>{% endtrans %}",
        '<input placeholder="{{ _("Your name") }}" class="{{ "wide" if x else "narrow" }}">',
        "<code>Sign in</code> · – 12 ms (UTC)",
        "{{ url_for('account.sign_in', next='Sign In') }}",
        "{% if kind == 'Sign in' %}{{ kind }}{% endif %}",
        "{% block width %}narrow{% endblock %}",
        "{# Sign in #}{{ ', ' if not loop.last }}",
    ],
)
def test_what_is_no_text_is_let_be(source):
    assert left_out(source) == []


def test_a_variable_that_would_be_taken_for_html_is_found():
    assert translated_variables("a\n{{ _(name) }}") == [2]
    assert translated_variables("{{ _('name', name=name) }}") == []
