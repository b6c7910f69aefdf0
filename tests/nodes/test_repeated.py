"""Connections that are lost after the commit: what is repeated, what is not, and that nobody pays for it."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import func, select

from authserver.protocol import credential
from authserver.store.database import Database
from authserver.store.driver import numbered
from authserver.store.models import AuditRow, FamilyRow
from authserver.store.postgresql.redeem import STATEMENT as REDEEM
from authserver.store.postgresql.rotate import STATEMENT as ROTATE
from authserver.store.sessions import LIVE
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import Site, open_site
from tests.conformance.visitor import Visitor
from tests.store.scene import heads

from .breaking import Breaking, breaking

ENDS_FAMILY = b"UPDATE refresh_families SET revoked_at"
STANDS = b"FROM revoked_access_tokens"


@pytest.fixture
def way(site_with: Callable[..., Site]) -> Iterator[tuple[Site, Breaking]]:
    """A site whose database is at the end of a way that breaks, and that allows no lost answers of its own."""
    settings = site_with().deployment.settings
    with breaking(settings.database_url) as found:
        site = open_site(found.url(settings.database_url), settings.home, refresh_retry_window=0)
        yield site, found
        site.deployment.stores.database.close()


def audited(database: Database, name: str) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).where(AuditRow.name == name)) or 0


def test_a_refresh_whose_commit_nobody_heard_gives_the_successor_that_it_made(way: tuple[Site, Breaking]):
    site, lossy = way
    flow = Flow(site)
    flow.tokens(Visitor(site))
    assert flow.refresh().status_code == 200
    lossy.lose_answer_to(numbered(ROTATE).key)
    answer = flow.refresh()
    assert (answer.status_code, lossy.lost) == (200, 1)
    database = site.deployment.stores.database
    assert heads(database) == [credential.digest(answer.json["refresh_token"])]
    assert audited(database, "token.refreshed") == 2
    assert flow.refresh().status_code == 200  # the family lives, though a window of 0 forgives nobody
    assert audited(database, "token.reused") == 0


def test_a_redemption_whose_commit_nobody_heard_is_not_repeated(way: tuple[Site, Breaking]):
    site, lossy = way
    flow, visitor = Flow(site), Visitor(site)
    flow.tokens(visitor)
    flow.allow(visitor)
    lossy.lose_answer_to(numbered(REDEEM).key)
    answer = flow.token()
    assert (answer.status_code, answer.json["error"], lossy.lost) == (503, "temporarily_unavailable", 1)
    assert answer.headers["Retry-After"] == "1"
    database = site.deployment.stores.database
    assert audited(database, "code.redeemed") == 2
    assert audited(database, "code.replayed") == 0


def test_a_revocation_whose_commit_nobody_heard_is_one(way: tuple[Site, Breaking]):
    site, lossy = way
    flow = Flow(site)
    tokens = flow.tokens(Visitor(site))
    lossy.lose_answer_to(ENDS_FAMILY)
    form = {"token": tokens["refresh_token"], "client_id": flow.values["client_id"]}
    assert (site.post("/revoke", data=form).status_code, lossy.lost) == (200, 1)
    database = site.deployment.stores.database
    assert audited(database, "token.revoked") == 1
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).where(FamilyRow.revoked_at.is_not(None))) == 1
    assert flow.refresh().json["error"] == "invalid_grant"


def test_introspection_asks_again(way: tuple[Site, Breaking]):
    site, lossy = way
    flow = Flow(site)
    secret = flow.register({**PUBLIC, "token_endpoint_auth_method": "client_secret_post"}).json["client_secret"]
    flow.allow(Visitor(site))
    token = flow.token(client_secret=secret).json["access_token"]
    lossy.lose_answer_to(STANDS)
    form = {"token": token, "client_id": flow.values["client_id"], "client_secret": secret}
    assert (site.post("/introspect", data=form).json["active"], lossy.lost) == (True, 1)


def test_a_page_whose_reader_is_looked_up_in_vain_looks_again(way: tuple[Site, Breaking]):
    site, lossy = way
    visitor = Visitor(site)
    visitor.open("/account/security")
    finds_session = str(LIVE.compile(site.deployment.stores.database.engine))
    lossy.lose_answer_to(numbered(finds_session).key)  # its text was sent when it was prepared
    page = visitor.http.get("/account/security")
    assert (page.status_code, lossy.lost) == (200, 1)
