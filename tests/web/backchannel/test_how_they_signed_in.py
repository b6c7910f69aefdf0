"""What access tokens tell of the sign-in behind them: when, by what, and of which class (RFC 9068 §2.2.1)."""

import jwt
import pytest

from authserver.protocol import amr
from tests.conformance.fixtures import flow, set_up, site
from tests.conformance.flow import Flow
from tests.conformance.site import Site
from tests.web.pages.factor_owner import Person

__all__ = ["flow", "set_up", "site"]


def claims_of(token: str):
    return jwt.decode(token, options={"verify_signature": False})


@pytest.mark.requirement("TK-1")
def test_a_token_tells_by_what_its_person_signed_in_and_so_do_those_that_follow(site: Site, flow: Flow):
    person = Person(site)
    person.add_app()
    flow.register()
    first = flow.tokens(person.browser)
    second = flow.refresh(refresh_token=first["refresh_token"]).json
    session = person.session()
    for answer in (first, second):
        claims = claims_of(answer["access_token"])
        assert claims["amr"] == ["pwd", "otp", "mfa"]
        assert claims["acr"] == "https://refeds.org/profile/mfa"
        assert claims["auth_time"] == session.auth_time


@pytest.mark.requirement("TK-1")
def test_after_a_password_alone_a_token_claims_no_class(site: Site, flow: Flow):
    flow.register()
    claims = claims_of(flow.tokens(Person(site).browser)["access_token"])
    assert claims["amr"] == ["pwd"]
    assert "acr" not in claims


def test_a_passkey_is_of_both_classes_and_the_better_one_is_told():
    assert amr.classes(amr.BY_PASSKEY) == ("phr", "https://refeds.org/profile/mfa")
    assert amr.claims(amr.BY_PASSKEY) == {"amr": ["pop", "mfa"], "acr": "phr"}
    assert amr.claims(()) == {}
