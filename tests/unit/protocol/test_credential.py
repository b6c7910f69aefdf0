"""Secrets that are derived of another, so that nobody has to keep them."""

import re

import pytest

from authserver.protocol import credential
from authserver.protocol.credential import Prefix


@pytest.mark.requirement("TK-6")
def test_a_derived_secret_looks_like_a_new_one_and_is_always_the_same():
    made = credential.derived(Prefix.CODE, "a session's secret", "what a form said, even \udcff")
    assert re.fullmatch(r"mcpc_[A-Za-z0-9_-]{43}", made)
    assert made == credential.derived(Prefix.CODE, "a session's secret", "what a form said, even \udcff")


@pytest.mark.requirement("TK-6")
def test_another_secret_or_another_word_derives_another():
    made = {credential.derived(Prefix.CODE, secret, said) for secret in ("a", "b") for said in ("c", "d", "")}
    assert len(made) == 6
