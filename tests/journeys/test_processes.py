"""One client, several processes: what real hosts do to a refresh token."""

import pytest

from .client import Client
from .conftest import ClientOf
from .person import Person


def registrations(client: Client) -> int:
    return sum(request.startswith("POST /register") for request in client.requests)


@pytest.mark.requirement("TK-4")
@pytest.mark.parametrize("kind", ["typescript", "typescript-sdk1"])
def test_two_processes_that_share_a_refresh_token_both_go_on(kind: str, client_of: ClientOf, person: Person) -> None:
    one = client_of(kind)
    one.do("connect", decide=person.allow)
    other = client_of(kind)
    other.do("connect")
    for _ in range(3):
        one.do("expire")
        for client in (one, other):
            client.begin("call", tool="list_notes", arguments={})
        for client in (one, other):
            client.outcome()  # nobody is asked: a browser would fail the test
    assert registrations(one) == 1
    assert registrations(other) == 0


@pytest.mark.requirement("CR-6", "AZ-9")
@pytest.mark.parametrize("kind", ["python", "typescript"])
def test_a_restarted_client_keeps_its_registration_though_its_port_changed(
    kind: str, client_of: ClientOf, person: Person
) -> None:
    first = client_of(kind)
    first.do("connect", decide=person.allow)
    registered = first.client_id
    first.close()
    restarted = client_of(kind)
    restarted.do("connect")
    note = {"title": f"restarted {kind}", "text": "x"}
    widen = person.step_up(new={"notes:write"}, standing={"notes:read"})
    assert "Kept" in restarted.do("call", tool="write_note", arguments=note, decide=widen)
    assert restarted.client_id == registered
    assert registrations(restarted) == 0
