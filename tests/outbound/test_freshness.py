"""How long a document counts, by its headers (RFC 9111 §4.2)."""

import email.utils

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from authserver.outbound.freshness import lifetime

pytestmark = pytest.mark.requirement("CR-9")

NOW = 1_795_384_800
LEAST, MOST, DEFAULT = 60, 86_400, 3_600


def date(offset: int) -> str:
    return email.utils.formatdate(NOW + offset, usegmt=True)


CASES = {
    "nothing said": ({}, DEFAULT),
    "max-age": ({"cache-control": "max-age=600"}, 600),
    "max-age among others": ({"cache-control": "public, MAX-AGE=600 , immutable"}, 600),
    "max-age in quotes": ({"cache-control": 'max-age="600"'}, 600),
    "max-age wins over Expires": ({"cache-control": "max-age=600", "expires": date(7_200)}, 600),
    "the first of two": ({"cache-control": "max-age=600, max-age=900"}, 600),
    "less the age it has already": ({"cache-control": "max-age=600", "age": "100"}, 500),
    "older than fresh": ({"cache-control": "max-age=600", "age": "700"}, LEAST),
    "age that is no number": ({"cache-control": "max-age=600", "age": "-5"}, 600),
    "two ages": ({"cache-control": "max-age=600", "age": "100, 200"}, 500),
    "shorter than the least": ({"cache-control": "max-age=1"}, LEAST),
    "longer than the most": ({"cache-control": "max-age=31536000"}, MOST),
    "longer than a number": ({"cache-control": f"max-age={'9' * 5_000}"}, MOST),
    "no-store": ({"cache-control": "no-store, max-age=600"}, LEAST),
    "no-cache": ({"cache-control": "no-cache", "expires": date(600)}, LEAST),
    "no-cache for a field": ({"cache-control": 'no-cache="set-cookie", max-age=600'}, LEAST),
    "max-age that is no number": ({"cache-control": "max-age=soon", "expires": date(600)}, LEAST),
    "negative max-age": ({"cache-control": "max-age=-600"}, LEAST),
    "max-age without a value": ({"cache-control": "max-age"}, LEAST),
    "s-maxage is for shared caches": ({"cache-control": "s-maxage=900, private"}, DEFAULT),
    "Expires and Date": ({"expires": date(7_200), "date": date(5_000)}, 2_200),
    "Expires alone": ({"expires": date(7_200)}, 7_200),
    "Expires, with an age": ({"expires": date(7_200), "date": date(0), "age": "200"}, 7_000),
    "Expires in the past": ({"expires": date(-7_200)}, LEAST),
    "Expires that is no date": ({"expires": "0"}, LEAST),
    "Expires out of range": ({"expires": "Sun, 22 Nov 99999 20:00:00 GMT"}, LEAST),
    "Expires without a zone": ({"expires": date(600).removesuffix("GMT") + "-0000"}, 600),
    "Date that is no date": ({"expires": date(600), "date": "now"}, 600),
}


@pytest.mark.parametrize(("headers", "seconds"), CASES.values(), ids=CASES.keys())
def test_a_lifetime_follows_the_headers_within_bounds(headers: dict[str, str], seconds: int):
    with time_machine.travel(NOW, tick=False):
        assert lifetime(headers, least=LEAST, most=MOST, default=DEFAULT) == seconds


@given(st.dictionaries(st.sampled_from(["cache-control", "expires", "date", "age"]), st.text()))
def test_no_header_leads_out_of_the_bounds(headers: dict[str, str]):
    assert LEAST <= lifetime(headers, least=LEAST, most=MOST, default=DEFAULT) <= MOST


@given(st.from_regex(r"(Sun, )?[0-9]{1,9} (Nov|Feb) [0-9]{1,9} [0-9]{1,3}:[0-9]{1,3}:[0-9]{1,3} [-+]?[0-9]{1,9}"))
def test_no_date_makes_the_reader_fail(text: str):
    assert LEAST <= lifetime({"expires": text}, least=LEAST, most=MOST, default=DEFAULT) <= MOST
