"""Sessions of browsers: found by their secret until they end, and known by its digest alone."""

import pytest
from sqlalchemy import select, update

from authserver.protocol import credential
from authserver.protocol.audit import Event
from authserver.store.audit import AuditFilter
from authserver.store.models import SessionRow

EVENT = Event("test.done", "system")


@pytest.fixture
def secret(deployment, person, origin) -> str:
    return deployment.sessions.open(person, origin)


def move(deployment, secret: str, **columns: object) -> None:
    row = update(SessionRow).where(SessionRow.digest == credential.digest(secret))
    with deployment.stores.database.transaction() as connection:
        connection.execute(row.values(**columns))


def test_a_session_is_found_with_its_person_and_the_time_of_sign_in(deployment, person, secret):
    found = deployment.sessions.find(secret)
    assert found.user.id == person.id
    assert found.expires_at - found.auth_time == deployment.settings.session_lifetime


@pytest.mark.requirement("TK-6")
def test_a_session_is_known_by_the_digest_of_a_recognisable_secret_of_256_bits(deployment, secret):
    assert secret.startswith("mcpw_")
    assert len(secret.removeprefix("mcpw_")) == 43
    with deployment.stores.database.reading() as connection:
        rows = connection.execute(select(SessionRow)).all()
    assert credential.digest(secret) in {row.digest for row in rows}
    assert not any(secret in str(row) for row in rows)


def test_no_two_sessions_have_one_secret(deployment, person, origin):
    assert len({deployment.sessions.open(person, origin) for _ in range(5)}) == 5


@pytest.mark.parametrize("wrong", ["", "mcpw_", "mcpw_" + "x" * 43, "\ud800", "nul\0"])
def test_another_secret_finds_nothing(deployment, secret, wrong):
    assert deployment.sessions.find(wrong) is None


def test_a_session_that_was_ended_is_gone_at_once(deployment, person, origin, secret):
    deployment.sessions.end(secret, origin)
    assert deployment.sessions.find(secret) is None
    deployment.sessions.end(secret, origin)
    page = deployment.stores.audit.page(AuditFilter(name="session.ended", user_id=person.id), None, 10)
    assert len(page.lines) == 1


def test_a_session_ends_at_its_lifetime(deployment, secret):
    move(deployment, secret, expires_at=SessionRow.auth_time)
    assert deployment.sessions.find(secret) is None


def test_a_session_without_a_request_ends_when_it_was_idle_for_too_long(deployment, secret):
    move(deployment, secret, last_seen_at=SessionRow.last_seen_at - deployment.settings.session_idle)
    assert deployment.sessions.find(secret) is None


def test_a_request_keeps_a_session_from_going_idle(deployment, secret):
    move(deployment, secret, last_seen_at=SessionRow.last_seen_at - deployment.settings.session_idle + 60)
    assert deployment.sessions.find(secret)
    move(deployment, secret, last_seen_at=SessionRow.last_seen_at - 120)
    assert deployment.sessions.find(secret)


def test_the_sessions_of_somebody_disabled_are_gone(deployment, person, secret):
    deployment.stores.users.set_disabled(person.id, True, EVENT)
    assert deployment.sessions.find(secret) is None
    deployment.stores.users.set_disabled(person.id, False, EVENT)
    assert deployment.sessions.find(secret) is None
