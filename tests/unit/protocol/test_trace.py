"""The vocabulary of flow traces, and references as people read them to each other."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.protocol import errors
from authserver.protocol.access_token import Authority
from authserver.protocol.authorization_code import CodeState
from authserver.protocol.credential import Prefix
from authserver.protocol.errors import OAuthError
from authserver.protocol.pkce import challenge_of
from authserver.protocol.refresh_token import TokenState
from authserver.protocol.trace import diagnosis, reference
from authserver.protocol.trace.harmless import harmless, said
from authserver.protocol.trace.reference import References
from authserver.protocol.trace.step import Cause, Step, Verdict
from authserver.protocol.trace.words import WORDS, words_of

OURS = References(lambda: b"k" * 32)
CODE = CodeState("app", "https://app.example/cb", "challenge", "https://mcp.example", False, None, None)
STANDING = Authority("ada", "app", "grant", "family", "https://mcp.example", ("read",), 1)
TOKEN = TokenState("app", STANDING, True, False, None, None, False, None)


def test_every_cause_has_words_and_what_failed_has_a_remedy():
    assert set(WORDS) == set(Cause)
    for cause, words in WORDS.items():
        assert words.happened.endswith("."), cause
        assert bool(words.remedy) == (words.verdict is not Verdict.OK), cause


def test_a_cause_of_a_newer_version_is_told_as_one():
    assert "newer version" in words_of("from_the_future").happened


def _kinds(kind: type[OAuthError]) -> set[type[OAuthError]]:
    return {kind}.union(*map(_kinds, kind.__subclasses__()))


def test_every_error_of_the_protocol_has_a_cause_of_its_own_kind():
    special = {errors.UnknownClient, errors.ApprovalPending, OAuthError, errors.InvalidGrant}
    special |= {errors.PolicyRefused, errors.GrantPending, errors.SignInTooOld}  # each names its cause itself
    for kind in _kinds(OAuthError) - special:
        if kind.__module__ == errors.__name__:
            assert diagnosis.of_error(kind("x"), Step.AUTHORIZATION) is not Cause.REFUSED, kind
    assert diagnosis.of_error(OAuthError("x"), Step.AUTHORIZATION) is Cause.REFUSED


def test_an_error_that_names_its_cause_is_believed():
    error = errors.InvalidRequest("x", cause=Cause.PKCE_MISSING)
    assert diagnosis.of_error(error, Step.AUTHORIZATION) is Cause.PKCE_MISSING
    assert diagnosis.of_error(errors.InvalidScope("x"), Step.TOKEN) is Cause.SCOPE_NOT_HELD


@pytest.mark.parametrize(
    ("changes", "shown", "cause"),
    [
        (None, {}, Cause.CODE_UNKNOWN),
        ({"client_id": "other"}, {}, Cause.CODE_OF_ANOTHER),
        ({"expired": True}, {}, Cause.CODE_EXPIRED),
        ({}, {"resource": "https://other.example"}, Cause.RESOURCE_MISMATCH),
        ({}, {}, Cause.GRANT_ENDED),
        ({"age": 0}, {"answers": False}, Cause.PKCE_MISMATCH),
        ({"age": 0}, {"redirect_uri": "https://app.example/other"}, Cause.REDIRECT_MISMATCH),
        ({"age": 0}, {}, Cause.GRANT_ENDED),
        ({"age": 0, "family_id": "f"}, {}, Cause.CODE_USED),
        ({"age": 11, "family_id": "f"}, {"redirect_uri": None}, Cause.CODE_REPLAYED),
        ({"age": 11, "family_id": "f"}, {"answers": False}, Cause.PKCE_MISMATCH),
    ],
)
def test_a_refused_code_tells_why_by_how_it_stands(changes, shown, cause):
    state = None if changes is None else replace(CODE, **changes)
    usual = {"client_id": "app", "redirect_uri": CODE.redirect_uri, "answers": True, "resource": CODE.resource}
    assert diagnosis.of_code(state, **{**usual, **shown}) is cause


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        (None, Cause.REFRESH_UNKNOWN),
        ({"client_id": "other"}, Cause.REFRESH_OF_ANOTHER),
        ({"age": 31, "alive": False}, Cause.REFRESH_REUSED),
        ({"age": 1}, Cause.REFRESH_TOO_LATE),
        ({"alive": False}, Cause.REFRESH_ENDED),
        ({"expired": True}, Cause.REFRESH_EXPIRED),
        ({}, Cause.REFRESH_UNKNOWN),
    ],
)
def test_a_refused_refresh_token_tells_why_by_how_it_stands(changes, cause):
    state = None if changes is None else replace(TOKEN, **changes)
    assert diagnosis.of_refresh(state, client_id="app", window=30) is cause


def test_a_reference_is_the_same_for_the_request_and_for_the_exchange_of_its_code():
    verifier = "v" * 43
    made = OURS.of_attempt("app", challenge_of(verifier))
    assert OURS.of_exchange("app", verifier) == made
    assert OURS.of_exchange("other", verifier) != made
    assert OURS.of_exchange("app", "short") is None
    assert OURS.of_exchange("app", None) is None


def test_nobody_without_the_key_makes_the_same_reference():
    assert References(lambda: b"other" * 7).of_attempt("app", "c") != OURS.of_attempt("app", "c")


def test_parts_that_read_alike_together_are_told_apart():
    assert len({OURS.of("a", "b:c"), OURS.of("a:b", "c"), OURS.of("a", "b", "c"), OURS.of("ab", "c")}) == 4


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_reference_is_read_as_it_was_written(client_id, challenge):
    made = OURS.of_attempt(client_id, challenge)
    assert len(made) == 11
    for typed in (made, made.lower(), made.replace("-", ""), f" {made[:3]} {made[3:]} "):
        assert reference.read(typed) == made
    assert reference.read(made.replace("0", "o").replace("1", "l")) == made


@given(st.text())
def test_whatever_is_typed_is_a_reference_or_none(text):
    found = reference.read(text)
    assert found is None or reference.read(found) == found


def test_fresh_references_differ():
    assert len({reference.fresh() for _ in range(1000)}) == 1000


@given(st.text(max_size=500))
def test_what_is_kept_is_short_and_on_one_line(text):
    kept = harmless(text, 50)
    assert len(kept) <= 50
    assert kept.isprintable()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("https://app.example/cb?code=secret&state=x#token", "https://app.example/cb"),
        ("https://ada:password@app.example/cb", "https://app.example/cb"),
        ("https://ada:pass word@1@app.example/cb", "https://app.example/cb"),
        ("//ada:password@app.example/cb", "//app.example/cb"),
        ("https://app.example/cb;jsessionid=secret/more", "https://app.example/cb/more"),
        ("invalid_client: no client; see the log", "invalid_client: no client; see the log"),
        (f"no client {Prefix.CLIENT_SECRET}{'a-Z_9' * 8}abc here", "no client here"),
        (f"{Prefix.REFRESH}{'b-Y_8' * 8}def", ""),
        ("one\ntwo\x1b[31m\u202ethree", "one two [31m three"),
        ("cursor://anysphere.cursor-mcp/oauth/callback", "cursor://anysphere.cursor-mcp/oauth/callback"),
    ],
)
def test_what_may_be_a_secret_is_not_kept(sent, kept):
    assert harmless(sent) == kept


def test_what_was_said_is_the_errors_own_words():
    assert said(errors.InvalidRequest("x is required")) == "invalid_request: x is required"
    assert said(errors.InvalidGrant()) == "invalid_grant"
