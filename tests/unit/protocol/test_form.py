"""Parameters are parsed once, and strictly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.protocol import form
from authserver.protocol.errors import InvalidRequest, OAuthError

pytestmark = pytest.mark.requirement("TK-7")


def test_a_parameter_must_not_repeat_except_resource():
    with pytest.raises(InvalidRequest, match="repeated"):
        form.parse("a=1&a=1")
    assert form.parse("resource=x&resource=y").resources == ("x", "y")


def test_a_parameter_without_a_value_is_treated_as_left_out():
    parsed = form.parse("a=&b=1&resource=")
    assert parsed.get("a") is None
    assert parsed.resources == ()
    with pytest.raises(InvalidRequest, match="a is required"):
        parsed.need("a")


@pytest.mark.parametrize(
    "encoded", [b"a=%00", b"%00=a", b"a=%ff", b"a=\xff", b"&".join(b"p%d=1" % n for n in range(101))]
)
def test_nul_broken_utf8_and_floods_are_invalid_requests(encoded):
    with pytest.raises(InvalidRequest):
        form.parse(encoded)


@given(st.binary())
def test_any_bytes_are_parsed_or_refused_in_words(encoded):
    try:
        form.parse(encoded)
    except OAuthError as refused:
        assert refused.description


@given(st.text())
def test_a_description_is_always_printable_on_the_wire(text):
    assert all(" " <= c <= "~" and c not in '"\\' for c in str(InvalidRequest(text).description))
