"""MCP servers with their scopes and tools."""

from dataclasses import replace

import pytest
from flask import Flask

from authserver.protocol.errors import InvalidGrant
from authserver.protocol.resource import Resource, match
from authserver.protocol.scope import Risk, Scope
from authserver.protocol.tool import Annotations, Claim, Mark, Tool, Word
from authserver.store.database import connect
from authserver.store.resources import AlreadyRegistered, UnknownResource
from authserver.store.stores import Stores

from .scene import EVENT, NOTES, Scene

OTHER = Resource("https://other.example/mcp", "Other", (Scope("other:read", "Read", is_default=True),))


@pytest.fixture
def notes(stores: Stores) -> Resource:
    stores.resources.add(NOTES, EVENT)
    return NOTES


def test_a_resource_comes_back_as_it_was_added(stores: Stores, notes: Resource):
    assert stores.resources.all() == (notes,)


@pytest.mark.requirement("AZ-4")
@pytest.mark.parametrize(
    "taken",
    [
        replace(OTHER, identifier=NOTES.identifier),
        replace(OTHER, identifier=NOTES.identifier + "/"),
        replace(OTHER, identifier="https://NOTES.example:443/mcp"),
        replace(OTHER, identifier=NOTES.aliases[0]),
        replace(OTHER, aliases=("https://more.example", NOTES.identifier)),
        replace(OTHER, aliases=NOTES.aliases),
    ],
)
def test_an_identifier_or_alias_that_fits_two_servers_cannot_be_saved(stores: Stores, notes: Resource, taken: Resource):
    with pytest.raises(AlreadyRegistered):
        stores.resources.add(taken, EVENT)
    assert stores.resources.all() == (notes,)


@pytest.mark.requirement("AZ-4")
def test_an_identifier_keeps_its_letters_while_any_canonical_form_finds_it(stores: Stores):
    stores.resources.add(replace(OTHER, identifier="https://Other.example/mcp/"), EVENT)
    assert match(("https://other.example/mcp",), stores.resources.all()).identifier == "https://Other.example/mcp/"


def test_a_new_default_takes_the_place_of_the_old_one(stores: Stores):
    stores.resources.add(replace(NOTES, is_default=True), EVENT)
    stores.resources.add(replace(OTHER, is_default=True), EVENT)
    assert {one.name: one.is_default for one in stores.resources.all()} == {"Notes": False, "Other": True}


def test_a_resource_is_replaced_whole_and_its_grants_stay(scene: Scene):
    scene.stores.resources.add(NOTES, EVENT)
    token = scene.first_token()
    changed = replace(NOTES, name="Better notes", scopes=NOTES.scopes[:1], tools=(), aliases=())
    scene.stores.resources.replace(changed, EVENT)
    assert scene.stores.resources.all() == (changed,)
    assert scene.refresh(token)


def test_replacing_with_a_taken_alias_changes_nothing(stores: Stores, notes: Resource):
    stores.resources.add(OTHER, EVENT)
    with pytest.raises(AlreadyRegistered):
        stores.resources.replace(replace(OTHER, aliases=(notes.identifier,)), EVENT)
    assert OTHER in stores.resources.all()


def test_a_removed_resource_takes_its_grants_along(scene: Scene):
    scene.stores.resources.add(NOTES, EVENT)
    token = scene.first_token()
    scene.stores.resources.remove(NOTES.identifier, EVENT)
    assert scene.stores.resources.all() == ()
    with pytest.raises(InvalidGrant):
        scene.refresh(token)
    scene.stores.resources.add(NOTES, EVENT)
    with pytest.raises(InvalidGrant):
        scene.refresh(token)


def test_a_resource_is_removed_as_it_was_seen_or_not_at_all(stores: Stores, notes: Resource):
    changed = replace(notes, name="Better notes")
    stores.resources.replace(changed, EVENT)
    assert stores.resources.remove(notes.identifier, EVENT, before=notes) is False
    assert stores.resources.all() == (changed,)
    assert stores.resources.remove(notes.identifier, EVENT, before=changed) is True
    assert stores.resources.all() == ()


def test_a_suspended_resource_is_left_out_until_it_is_back(stores: Stores, notes: Resource):
    stores.resources.set_suspended(notes.identifier, True, EVENT)
    assert (stores.resources.all(), stores.resources.suspended()) == ((), (notes,))
    stores.resources.set_suspended(notes.identifier, False, EVENT)
    assert (stores.resources.all(), stores.resources.suspended()) == ((notes,), ())


def test_what_is_not_registered_cannot_be_changed(stores: Stores):
    for change in (
        lambda: stores.resources.replace(OTHER, EVENT),
        lambda: stores.resources.remove(OTHER.identifier, EVENT),
        lambda: stores.resources.set_suspended(OTHER.identifier, True, EVENT),
    ):
        with pytest.raises(UnknownResource):
            change()


def test_a_resource_added_by_another_process_is_known_after_a_refresh(stores: Stores, url: str):
    assert stores.resources.all() == ()
    other = connect(Flask("other"), url)
    Stores.over(other).resources.add(NOTES, EVENT)
    other.close()
    stores.resources.refresh()
    assert stores.resources.all() == (NOTES,)


def test_resources_that_did_not_change_are_not_read_again(stores: Stores, notes: Resource):
    first = stores.resources.all()
    stores.resources.refresh()
    assert stores.resources.all() is first


@pytest.mark.requirement("AZ-8")
def test_a_catalogue_comes_back_with_claims_marks_and_words(stores: Stores):
    claim = Claim("Read", "Reads.", Annotations(read_only=True), "a" * 64, "b" * 64)
    tool = Tool("read_note", "Read", ("notes:read",), "Reads.", Risk.READ, Word.SERVER, Mark.NEW, claim)
    stores.resources.add(replace(NOTES, tools=(tool,)), EVENT)
    (found,) = stores.resources.all()
    assert found.tools == (tool,)
    assert found.tools[0].first_seen is not None


def test_an_exchange_is_for_those_who_know_the_newest_state(stores: Stores, notes: Resource):
    after = replace(notes, tools=(replace(notes.tools[0], mark=Mark.CHANGED), notes.tools[1]))
    assert stores.resources.exchange(notes, after, EVENT)
    assert stores.resources.all() == (after,)
    assert not stores.resources.exchange(notes, replace(notes, tools=()), EVENT)
    assert stores.resources.all() == (after,)


def test_when_a_tool_was_first_seen_survives_an_exchange(stores: Stores, notes: Resource):
    seen = replace(notes, tools=tuple(replace(tool, first_seen=7) for tool in notes.tools))
    assert stores.resources.exchange(notes, seen, EVENT)
    stores.resources.replace(replace(seen, name="Other"), EVENT)
    assert [tool.first_seen for one in stores.resources.all() for tool in one.tools] == [7, 7]
