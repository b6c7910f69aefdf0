"""Names as long as they may be: they are keys of the database, whose indexes have bounds of their own."""

import random
import string

import pytest

from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.visitor import Visitor

from .publisher import Publisher
from .test_authorize import DOCUMENT, known_by

CHANCE = random.Random(7)  # noqa: S311 - letters that do not compress


def letters(count: int) -> str:
    return "".join(CHANCE.choices(string.ascii_lowercase + string.digits, k=count))


@pytest.mark.requirement("CR-7")
@pytest.mark.parametrize("length", [900, 1024, 1025, 2000, 2048])
def test_a_client_with_a_long_url_connects_or_is_told_why(
    flow: Flow, visitor: Visitor, publisher: Publisher, length: int
):
    path = "/" + letters(length - len(publisher.base) - 1)
    known_by(flow, publisher.publish(path, DOCUMENT))
    page = visitor.decide(flow.url())
    if length <= 1024:
        flow.answer(page)
        assert flow.token().status_code == 200
    else:
        assert page.status_code == 400
        assert "longer" in page.text


@pytest.mark.requirement("CR-6")
@pytest.mark.parametrize("length", [200, 255, 256, 1500, 2000])
def test_a_client_with_a_long_private_scheme_connects_or_cannot_register(flow: Flow, visitor: Visitor, length: int):
    uri = f"{'app.' + letters(length - 5)}:/callback"
    answer = flow.register({**PUBLIC, "redirect_uris": [uri]})
    if length <= 255:
        flow.answer(visitor.decide(flow.url(redirect_uri=uri)))
        assert flow.token(redirect_uri=uri).status_code == 200
    else:
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_redirect_uri")
