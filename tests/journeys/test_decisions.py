"""What the person decides is what the client gets."""

import pytest

from .client import ClientFailed
from .conftest import ClientOf
from .person import Person

NOTE = {"title": "a title", "text": "a text"}


@pytest.mark.requirement("AZ-3", "AZ-8")
def test_a_denied_client_gets_nothing_and_may_ask_again(client_of: ClientOf, person: Person) -> None:
    client = client_of("python")
    with pytest.raises(ClientFailed, match="access_denied"):
        client.do("connect", decide=person.deny)
    again = client_of("python")
    again.do("connect", decide=person.allow)
    assert again.do("call", tool="list_notes", arguments={}) == ""


@pytest.mark.requirement("AZ-8", "AZ-14", "TK-7", "RS-5")
def test_an_unticked_scope_is_not_granted_and_its_tool_stays_closed(client_of: ClientOf, person: Person) -> None:
    client = client_of("python")
    client.do("connect", decide=person.allow)
    keep_to_reading = person.allow_without("notes:write")
    with pytest.raises(ClientFailed, match="access_denied"):
        client.do("call", tool="write_note", arguments=NOTE, decide=keep_to_reading)
    assert client.tokens["scope"] == "notes:read"
    again = client_of("python")
    again.do("connect")
    again.do("call", tool="list_notes", arguments={})


@pytest.mark.requirement("AZ-9", "AZ-14")
def test_a_device_is_asked_again_and_shown_what_is_already_allowed(client_of: ClientOf, person: Person) -> None:
    client_of("python").do("connect", decide=person.allow)
    restarted = client_of("python")
    restarted.do("connect")  # its stored token still works: nobody is asked
    title = NOTE["title"]
    widen = person.step_up(new={"notes:write"}, standing={"notes:read"})
    restarted.do("call", tool="write_note", arguments=NOTE, decide=widen)
    remove = person.step_up(new={"notes:delete"}, standing={"notes:read", "notes:write"})
    assert "Deleted" in restarted.do("call", tool="delete_note", arguments={"title": title}, decide=remove)
