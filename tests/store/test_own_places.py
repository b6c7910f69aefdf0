"""The places of tokens that clients have for themselves: what the lists say of them is what the state says (TK-10)."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from authserver.keys.numbering import Numbering, tag
from authserver.protocol.access_token import ClientAuthority, TokenId
from authserver.protocol.client import AuthMethod, Client, ClientKind, GrantType
from authserver.services.ended_places import EndedPlaces
from authserver.store import migrate
from authserver.store.database import Database
from authserver.store.engine import create
from authserver.store.resources import AlreadyRegistered, UnknownResource
from authserver.store.stores import Stores

from .crowd import SIZE, Crowd
from .scene import EVENT, NOTES, RESOURCE, Scene, a_client

pytestmark = pytest.mark.requirement("TK-10")
NUMBERING = Numbering(lambda: b"k" * 32)
CALENDAR = "https://calendar.example/mcp"
ENDER = SIZE // 2
ALL = ("notes:read", "notes:write")


@dataclass(frozen=True)
class Issued:
    """A token of a client for itself: what it stands on, and with which place."""

    id: TokenId
    authority: ClientAuthority


def a_machine(**changes: object) -> Client:
    machine = a_client(
        kind=ClientKind.PREREGISTERED,
        auth_method=AuthMethod.SECRET_BASIC,
        grant_types=(GrantType.CLIENT_CREDENTIALS,),
        ceilings={RESOURCE: ALL, CALENDAR: ("calendar:read",)},
    )
    return replace(machine, **changes)  # type: ignore[arg-type]


def issue(stores: Stores, client_id: str, resource: str = RESOURCE) -> Issued | None:
    """A token with all that the client is allowed at *resource*; None if that is nothing."""
    client = stores.clients.find_fresh(client_id)
    ceiling = client.ceilings.get(resource, ()) if client else ()
    authority = ClientAuthority(client_id, resource, ceiling)
    position = stores.access_tokens.issue(authority, ceiling, EVENT) if ceiling else None
    return None if position is None else Issued(TokenId.new("client"), replace(authority, position=position))


def good(stores: Stores, client: Client, resource: str = RESOURCE) -> Issued:
    issued = issue(stores, client.client_id, resource)
    assert issued is not None
    return issued


def invalid(places: EndedPlaces, issued: Issued) -> bool:
    assert issued.authority.position is not None
    shard, index = NUMBERING.place(issued.authority.resource, issued.authority.position)
    return index in places.indexes((tag(issued.authority.resource), str(shard)))[0]


def read_anew(stores: Stores) -> EndedPlaces:
    places = EndedPlaces(stores.ended, stores.epoch, NUMBERING)
    places.look()
    return places


def counts(stores: Stores, issued: Issued) -> bool:
    """Whether the token is as good as when it was issued, as introspection has it."""
    authority = issued.authority
    allowed = stores.access_tokens.ceiling(issued.id, authority.client_id, authority.resource, 1_800_000_000)
    return set(authority.scopes) <= set(allowed)


def change(stores: Stores, client: Client, **changes: object) -> None:
    current = stores.clients.find_fresh(client.client_id)
    if current is not None:
        stores.clients.update(replace(current, **changes), EVENT)  # type: ignore[arg-type]


ACTS: dict[str, Callable[[Stores, Client], object]] = {
    "narrow": lambda s, c: s.clients.set_ceiling(c.client_id, RESOURCE, ("notes:read",), EVENT),
    "exchange": lambda s, c: s.clients.set_ceiling(c.client_id, RESOURCE, ("notes:delete",), EVENT),
    "widen": lambda s, c: s.clients.set_ceiling(c.client_id, RESOURCE, (*ALL, "notes:delete"), EVENT),
    "withdraw": lambda s, c: s.clients.set_ceiling(c.client_id, RESOURCE, (), EVENT),
    "apply": lambda s, c: change(s, c, ceilings={RESOURCE: ("notes:write",)}),
    "take the grant": lambda s, c: change(s, c, grant_types=(GrantType.AUTHORIZATION_CODE,)),
    "make public": lambda s, c: change(s, c, auth_method=AuthMethod.NONE),
    "give the grant": lambda s, c: change(
        s, c, grant_types=(GrantType.CLIENT_CREDENTIALS,), auth_method=AuthMethod.SECRET_BASIC
    ),
    "suspend": lambda s, c: s.clients.set_suspended(c.client_id, True, EVENT),
    "resume": lambda s, c: s.clients.set_suspended(c.client_id, False, EVENT),
    "delete": lambda s, c: s.clients.delete(c.client_id, EVENT),
    "make anew": lambda s, c: s.clients.preregister(replace(c, created_at=1_750_000_000), EVENT),
}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.sampled_from(sorted(ACTS)), max_size=8))
def test_after_any_acts_the_lists_say_what_the_state_says(stores: Stores, acts: list[str]) -> None:
    client = a_machine()
    stores.clients.preregister(client, EVENT)
    tokens = [good(stores, client), good(stores, client, CALENDAR)]
    followed = read_anew(stores)
    for act in acts:
        ACTS[act](stores, client)
        followed.look()
        anew = read_anew(stores)
        for token in tokens:
            assert invalid(followed, token) == invalid(anew, token)
            # What was allowed again is not: a token that was issued before it went stays on the list.
            assert invalid(followed, token) or counts(stores, token)
        fresh = [made for resource in (RESOURCE, CALENDAR) if (made := issue(stores, client.client_id, resource))]
        assert not any(invalid(followed, made) for made in fresh)
        tokens += fresh


def test_a_client_keeps_its_place_as_long_as_it_is_not_allowed_less(stores: Stores) -> None:
    client = a_machine()
    stores.clients.preregister(client, EVENT)
    first = good(stores, client)
    ACTS["widen"](stores, client)
    stores.clients.rotate_secret(client.client_id, b"d" * 32, 0, EVENT)
    assert good(stores, client).authority.position == first.authority.position
    ACTS["narrow"](stores, client)
    assert good(stores, client).authority.position != first.authority.position
    assert not invalid(read_anew(stores), good(stores, client, CALENDAR))
    assert [place.position for place in stores.ended.positions()] == [first.authority.position]


def test_a_server_that_is_removed_ends_them_and_one_of_the_same_name_brings_none_back(scene: Scene) -> None:
    stores, client = scene.stores, a_machine()
    stores.clients.preregister(client, EVENT)
    stores.resources.add(NOTES, EVENT)
    token, other = good(stores, client), good(stores, client, CALENDAR)
    for verb in (lambda: stores.resources.remove(RESOURCE, EVENT), lambda: stores.resources.add(NOTES, EVENT)):
        verb()
        assert invalid(read_anew(stores), token)
        assert not invalid(read_anew(stores), other)
    assert not invalid(read_anew(stores), good(stores, client))


def issue_while_it_is_narrowed(scene: Scene, client_id: str, number: int) -> Issued | None:
    if number == ENDER:
        scene.stores.clients.set_ceiling(client_id, RESOURCE, ("notes:read",), EVENT)
        return None
    return issue(scene.stores, client_id)


def allow_or_remove(scene: Scene, client_id: str, number: int) -> Issued | None:
    """Some change what is allowed, some remove the server, some issue."""
    if number % 3 == 0:
        scopes = ALL[: number % 2 + 1]
        scene.stores.clients.set_ceiling(client_id, RESOURCE, scopes, EVENT)
    elif number % 3 == 1:
        with suppress(UnknownResource):
            scene.stores.resources.remove(RESOURCE, EVENT)
        with suppress(AlreadyRegistered):
            scene.stores.resources.add(NOTES, EVENT)
    else:
        return issue(scene.stores, client_id)
    return None


def test_whatever_is_issued_while_less_is_allowed_says_no_more_or_is_on_the_list(
    crowd: Crowd, url: str, scene: Scene
) -> None:
    client = a_machine()
    scene.stores.clients.preregister(client, EVENT)
    tokens = crowd.all_do(issue_while_it_is_narrowed, url, scene, client.client_id)
    places = read_anew(scene.stores)
    made = [token for token in tokens if token is not None]
    assert {type(token) for token in tokens} <= {Issued, type(None)}, tokens
    assert made
    for token in made:
        assert invalid(places, token) or counts(scene.stores, token)


def test_whatever_is_issued_while_its_server_goes_and_its_ceiling_changes_counts_or_is_on_the_list(
    crowd: Crowd, url: str, scene: Scene
) -> None:
    client = a_machine()
    scene.stores.clients.preregister(client, EVENT)
    scene.stores.resources.add(NOTES, EVENT)
    tokens = crowd.all_do(allow_or_remove, url, scene, client.client_id)
    places = read_anew(scene.stores)
    assert {type(token) for token in tokens} <= {Issued, type(None)}, tokens
    for token in tokens:
        assert token is None or invalid(places, token) or counts(scene.stores, token)


def test_when_the_list_of_single_tokens_is_full_the_client_takes_another_place(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authserver.store.access_tokens.MOST_LISTED", 1)
    client, other = a_machine(), a_machine()
    for one in (client, other):
        stores.clients.preregister(one, EVENT)
    for one in (client, other):
        token = good(stores, one)
        about = EVENT.about(resource=RESOURCE, client_id=one.client_id)
        for _ in range(2):
            stores.access_tokens.revoke(str(token.id), 2_000_000_000, about)
    assert len(stores.ended.tokens()) == 1
    assert [place.position for place in stores.ended.positions()] == [token.authority.position]
    assert not counts(stores, token)
    assert not invalid(read_anew(stores), good(stores, other))


OF_BEFORE = (
    "INSERT INTO clients (client_id, kind, name, redirect_uris, auth_method, grant_types, metadata, ceilings,"
    " created_at, deleted_at) VALUES (:id, 'preregistered', 'C', '[]', :method, :grants, '{}', :ceilings, 1, :gone)"
)


def test_clients_of_the_former_schema_get_places_that_no_later_one_gets(fresh_database_url: str) -> None:
    migrate.upgrade(fresh_database_url, "0003")
    database = Database(create(fresh_database_url))
    given = {"method": "client_secret_basic", "grants": "client_credentials", "gone": None}
    given |= {"ceilings": f'{{"{RESOURCE}": ["notes:read"], "{CALENDAR}": ["calendar:read"]}}'}
    with database.transaction() as connection:
        for changes in ({"id": "a"}, {"id": "b", "grants": ""}, {"id": "c", "method": "none"}, {"id": "d", "gone": 1}):
            connection.execute(text(OF_BEFORE), {**given, **changes})
    migrate.upgrade(fresh_database_url)
    stores = Stores.over(database)
    positions = {
        issued.authority.position for resource in (RESOURCE, CALENDAR) if (issued := issue(stores, "a", resource))
    }
    assert len(positions) == 2
    machine = a_machine()
    stores.clients.preregister(machine, EVENT)
    assert good(stores, machine).authority.position not in positions
    with database.reading() as connection:
        assert (
            connection.execute(text("SELECT count(*) FROM client_positions WHERE client_id <> 'a'")).scalar_one() == 2
        )
    database.close()
