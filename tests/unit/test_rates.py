"""How often is often enough, as operators write it."""

import pytest

from authserver.settings import Settings
from authserver.settings.rate import Rate


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("600 per minute", Rate(600, 60)),
        ("5/second", Rate(5, 1)),
        ("20 per 10 minutes", Rate(20, 600)),
        ("2 Per Hour", Rate(2, 3600)),
        ("1 per day", Rate(1, 86_400)),
        ("0", None),
        ("", None),
        ("0 per hour", None),
    ],
)
def test_a_rate_is_read(text: str, rate: Rate | None):
    assert Rate.of(text) == rate


@pytest.mark.parametrize("text", ["many", "5", "5 per", "-5 per hour", "5 per fortnight", "5 per hour; 2 per second"])
def test_what_is_no_rate_is_told_at_the_start(text: str):
    with pytest.raises(ValueError, match="600 per minute"):
        Settings(refreshes_per_grant=text)


def test_a_redis_has_a_url_of_redis():
    with pytest.raises(ValueError, match="must begin with redis://"):
        Settings(redis_url="http://localhost:6379")
