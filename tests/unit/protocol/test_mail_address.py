"""Mail addresses: what is one stands in a header as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.outbound.mail import Mail, message
from authserver.protocol import mail_address
from authserver.protocol.mail_address import NoMailAddress
from authserver.protocol.upstream import identity

CHARACTERS = st.text("aZ9.!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=64)


DOMAINS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,9}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,9}[a-z0-9])?){0,4}", fullmatch=True)


@given(CHARACTERS, DOMAINS)
def test_mail_to_an_address_goes_to_it_and_nobody_else(local: str, domain: str) -> None:
    try:
        kept = mail_address.kept(f"{local}@{domain}")
    except NoMailAddress:
        assert "=?" in local
        return
    made = message(Mail(kept, "Subject", "Text", "1"), "server@example.com")
    assert bytes(made)
    assert made["To"] == kept


@pytest.mark.parametrize("odd", ["=?utf-8?q?=0Ax?=@x.y", "=?us-ascii?q?a=40evil.example=2C?=@x.y", "=?@x.y", "a@b..c"])
def test_what_a_header_would_be_read_otherwise_with_is_no_address(odd: str) -> None:
    with pytest.raises(NoMailAddress):
        mail_address.kept(odd)


@pytest.mark.requirement("AZ-12")
@pytest.mark.parametrize(
    "told",
    [
        "x" * 187 + "@corp.example.evil.example",
        "x" * 20 + "@corp.example." + "evil" * 60 + ".example",
        "a:b;@corp.example",
        "a,b@corp.example",
        '"a"@corp.example',
        "=?utf-8?q?=0Ax?=@corp.example",
        "ann@localhost",
        7,
        None,
    ],
)
def test_what_a_provider_tells_that_is_no_address_of_mail_is_none_at_all(told: object) -> None:
    claims = {"sub": "1", "email": told, "email_verified": True}
    assert identity.read("https://corp.example", claims, "groups").email is None


def test_an_address_that_a_provider_tells_is_kept_whole_and_small() -> None:
    claims = {"sub": "1", "email": " Ann.Lee+x@Corp.Example ", "email_verified": True}
    assert identity.read("https://corp.example", claims, "groups").email == "ann.lee+x@corp.example"
