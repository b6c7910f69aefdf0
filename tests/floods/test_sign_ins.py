"""Fifty people sign in at one instant, and token calls go on."""

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.browser.scene import Scene
from tests.web.backchannel.test_client_credentials import Machine

from .conftest import asks, caller

PEOPLE = 50
CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


def test_fifty_who_sign_in_at_once_leave_token_calls_answered(running: Scene, indexer: Machine) -> None:
    start = Barrier(PEOPLE + 1)

    def sign_in(number: int) -> int:
        with caller(base_url=running.issuer) as browser:
            page = browser.get("/sign-in")
            form = {"username": f"nobody {number}", "password": "not hers", "csrf_token": CSRF.findall(page.text)[0]}
            start.wait()
            headers = {"Referer": f"{running.issuer}/sign-in", "Origin": running.issuer}
            answer = browser.post("/sign-in", data=form, headers=headers)
            assert answer.status_code != 503 or answer.headers["Retry-After"]
            return answer.status_code

    with ThreadPoolExecutor(PEOPLE) as crowd, caller() as http:
        found = [crowd.submit(sign_in, number) for number in range(PEOPLE)]
        start.wait()
        answers = []
        while not all(each.done() for each in found):
            answers.append((asks(running, indexer, http), sum(each.done() for each in found)))
        assert {status for status, _ in answers} == {200}
        assert sum(done < PEOPLE for _, done in answers) >= 5, "they were answered meanwhile, not afterwards"
    statuses = [each.result() for each in found]
    assert set(statuses) <= {400, 429, 503}
    assert 400 in statuses, "some were judged"
