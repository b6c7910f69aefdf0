"""Words of notices: nothing of a stranger becomes a link in whatever reads the mail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.services.notices.words import LONGEST, inert


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("https://evil.example/now", "https[:]//evil[.]example/now"),
        ("www\u3002evil\uff61example", "www[.]evil[.]example"),
        ("evil\uff0eexample or evil\u2024example", "evil[.]example or evil[.]example"),
        ("\U0001f4a9.example", "\U0001f4a9[.]example"),
        ("https\uff1a\uff0f\uff0fx", "https[:]//x"),
        (r"http:\\evil", r"http[:]\\evil"),
        ("mailto:ann@evil", "mailto[:]ann[@]evil"),
        ("ann\uff20evil", "ann[@]evil"),
        ("tel:+1234", "tel[:]+1234"),
        ("Wait... my app: v2, since 2026-11-26 10:46", "Wait... my app: v2, since 2026-11-26 10:46"),
    ],
)
def test_what_mail_programs_make_links_of_is_broken_up(sent: str, told: str):
    assert inert(sent) == told


@given(st.text(alphabet="a.:@/\\\u3002\uff0e\uff1a\uff0f\ufdfa w"))
def test_no_text_has_a_place_or_an_address_in_it(text: str):
    told = inert(text)
    assert "://" not in told
    assert "a.a" not in told
    assert "a@" not in told
    assert len(told) <= 3 * LONGEST
