"""What a redemption or a rotation that hit nothing means: lost answer, race, or theft."""

from dataclasses import replace

import pytest

from authserver.protocol import authorization_code, refresh_token
from authserver.protocol.access_token import Authority
from authserver.protocol.authorization_code import CodeState, Redemption
from authserver.protocol.refresh_token import Rotation, TokenState

REDEMPTION = Redemption(b"d", "me", "https://a/cb", "challenge", None, "family", b"r", 10, 100)
REDEEMED = CodeState("me", "https://a/cb", "challenge", "https://mcp/", expired=False, age=3, family_id="first")
CODE = authorization_code.Miss


@pytest.mark.requirement("AZ-7")
@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, CODE.UNKNOWN),
        (replace(REDEEMED, client_id="other"), CODE.UNKNOWN),
        (replace(REDEEMED, age=10), CODE.REPEATED),
        (replace(REDEEMED, age=11), CODE.REPLAYED),
        (replace(REDEEMED, age=11, challenge="other"), CODE.UNKNOWN),
        (replace(REDEEMED, age=11, redirect_uri="https://b/cb"), CODE.UNKNOWN),
        (replace(REDEEMED, age=11, family_id=None), CODE.UNKNOWN),
        (replace(REDEEMED, age=None, expired=True), CODE.UNKNOWN),
    ],
)
def test_only_a_late_and_correct_repeat_of_a_code_is_theft(state, expected):
    assert authorization_code.judge(state, REDEMPTION) is expected


@pytest.mark.requirement("AZ-7", "AZ-4")
def test_a_code_for_another_resource_is_not_touched():
    asks_other = replace(REDEMPTION, resource="https://other/")
    unredeemed = replace(REDEEMED, age=None, family_id=None)
    assert authorization_code.judge(unredeemed, asks_other) is CODE.WRONG_RESOURCE


AUTHORITY = Authority("person", "me", "grant", "family", "https://mcp/", ("read",), 0)
ROTATION = Rotation(b"d", "me", None, b"s", b"sealed", 10)
ROTATED = TokenState(
    "me", AUTHORITY, True, expired=False, age=5, successor_digest=b"o", successor_used=False, sealed_successor=b"x"
)
TOKEN = refresh_token.Miss


@pytest.mark.requirement("TK-4")
@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, TOKEN.UNKNOWN),
        (ROTATED, TOKEN.LOST_ANSWER),
        (replace(ROTATED, age=29), TOKEN.LOST_ANSWER),
        (replace(ROTATED, age=30), TOKEN.LOST_ANSWER),
        (replace(ROTATED, age=31), TOKEN.REUSED),
        (replace(ROTATED, age=31, expired=True), TOKEN.REUSED),
        (replace(ROTATED, successor_used=True), TOKEN.TOO_LATE_TO_REPEAT),
        (replace(ROTATED, successor_used=True, age=31), TOKEN.REUSED),
        (replace(ROTATED, sealed_successor=None), TOKEN.TOO_LATE_TO_REPEAT),
        (replace(ROTATED, client_id="other"), TOKEN.UNKNOWN),
        (replace(ROTATED, alive=False), TOKEN.UNKNOWN),
        (replace(ROTATED, age=None), TOKEN.UNKNOWN),
    ],
)
def test_a_rotated_token_is_a_lost_answer_inside_the_window_and_theft_after_it(state, expected):
    # ages are whole seconds, so 30 may be just within a window of 30
    assert refresh_token.judge(state, ROTATION, window=30) is expected


@pytest.mark.requirement("TK-4")
def test_a_window_of_zero_allows_no_repeat():
    assert refresh_token.judge(replace(ROTATED, age=0), ROTATION, window=0) is TOKEN.REUSED


@pytest.mark.requirement("TK-4")
@pytest.mark.parametrize("window", [0, 30])
def test_a_token_that_the_attempt_itself_has_rotated_is_done_whatever_the_window(window):
    own = replace(ROTATED, age=1, successor_digest=b"s")
    assert refresh_token.judge(own, ROTATION, window=window) is TOKEN.DONE
    assert refresh_token.judge(replace(own, alive=False), ROTATION, window=window) is TOKEN.UNKNOWN


@pytest.mark.requirement("TK-5")
def test_a_refresh_for_another_resource_is_told_so_and_changes_nothing():
    asks_other = replace(ROTATION, resource="https://other/")
    assert refresh_token.judge(replace(ROTATED, age=None), asks_other, window=30) is TOKEN.WRONG_RESOURCE
