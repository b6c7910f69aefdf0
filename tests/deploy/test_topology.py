"""What compose.yaml describes, as processes on loopback: nginx with TLS, two nodes, PostgreSQL by PgBouncer, Redis."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import psycopg
import pytest
import redis
from psycopg.rows import dict_row
from sqlalchemy import create_engine, make_url, text

from tests import pooler, redis_server
from tests.database import Databases
from tests.journeys.ports import free_port
from tests.journeys.tls_proxy import make_certificates, trusting

from .client import Client
from .load import Load
from .proxies import ACCESS_LOG, caddy, nginx
from .site import RESOURCE, ROOT, Furnished, Node, Site

CLIENTS = 4
LOGGED_SECONDS = 10  # that a line may come after its answer
TOLD_SECONDS = 60  # and what was admitted be told to Redis
AWAY_SECONDS = 7  # three times as long as Caddy takes from one look at a node to the next
BACK_SECONDS = 10  # PgBouncer tries for a new session once a second
LEFT_ALONE_SECONDS = 2.5  # and a little: how long a proxy of deploy/ asks nothing of a node that did not answer


@dataclass
class Topology:
    """The running site, its database without the pooler, its Redis, and the ``folder`` of its certificates."""

    site: Site
    nodes: list[Node]
    furnished: Furnished
    database_url: str
    redis_port: int
    folder: Path
    plain_port: int

    def http(self, **options) -> httpx2.Client:
        """Requests at the front door."""
        return httpx2.Client(base_url=self.site.issuer, verify=trusting(self.folder), timeout=30, **options)

    def client(self) -> Client:
        """A client that has tokens."""
        found = Client(self.site.issuer, self.site.issuer, trusting(self.folder))
        found.connect(self.furnished.password)
        return found


@pytest.fixture(scope="module")
def topology(
    pytestconfig: pytest.Config, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Topology]:
    """Two nodes behind nginx, of one database that they reach through PgBouncer, and with one Redis."""
    if pytestconfig.getoption("database") == "sqlite":
        pytest.skip("several nodes need PostgreSQL")
    for program, lacking in ((pooler.PROGRAM, pooler.LACKING), (redis_server.PROGRAM, redis_server.LACKING)):
        if not program:
            pytest.skip(lacking)
    folder, home = tmp_path_factory.mktemp("tls"), tmp_path_factory.mktemp("site")
    make_certificates(folder)
    port, plain_port, url = free_port(), free_port(), databases.create()
    more = {"trusted_proxies": "1", "migration_database_url": url, "listen_url": url}
    more |= dict.fromkeys(("pages_per_address", "refreshes_per_grant"), "100000 per minute")  # one for both nodes
    with pooler.pgbouncer(url) as pooled, redis_server.served(free_port(), home) as shared:
        site = Site(home, pooled, f"https://localhost:{port}", {**more, "redis_url": shared.url})
        furnished = site.furnish()
        with site.nodes(ROOT, ROOT) as nodes, nginx(folder, port, plain_port, (nodes[0].port, nodes[1].port)):
            yield Topology(site, nodes, furnished, url, shared.port, folder, plain_port)
    databases.drop(url)


@pytest.mark.requirement("AZ-3", "TK-4", "DI-2")
def test_the_whole_dance_goes_through_proxy_and_nodes(topology: Topology):
    with topology.client() as client:
        first = client.tokens
        client.refresh()
        assert client.tokens["refresh_token"] != first["refresh_token"]
        for node in topology.nodes:  # each knows what the other one did
            client.at(f"http://127.0.0.1:{node.port}")
            client.refresh()
        client.revoke()
        assert client.refusal() == "invalid_grant"


def test_each_node_goes_through_pgbouncer_and_tells_redis_what_it_admitted(topology: Topology):
    form = {"grant_type": "client_credentials", "resource": RESOURCE}
    with closing(redis.Redis(port=topology.redis_port)) as shared:
        for node in topology.nodes:
            shared.flushall()
            before = pooled_transactions(topology)
            answer = httpx2.post(f"http://127.0.0.1:{node.port}/token", data=form, auth=topology.furnished.machine)
            assert answer.status_code == 200
            assert pooled_transactions(topology) > before
            until = time.monotonic() + TOLD_SECONDS
            while not shared.keys("mcp-authserver:ceiling:*"):
                assert time.monotonic() < until
                time.sleep(0.05)


def pooled_transactions(topology: Topology) -> int:
    """How many transactions PgBouncer has carried to the site's database."""
    pooled = make_url(topology.site.database_url).set(drivername="postgresql", database="pgbouncer")
    with psycopg.connect(pooled.render_as_string(hide_password=False), autocommit=True, row_factory=dict_row) as asked:
        told = asked.execute("SHOW STATS_TOTALS").fetchall()
    name = make_url(topology.database_url).database
    return sum(each["xact_count"] for each in told if each["database"] == name)


@pytest.mark.requirement("AZ-12")
def test_the_address_in_the_trail_is_the_one_that_nginx_saw(topology: Topology):
    assert address_of(topology, topology.site.issuer) == "127.0.0.2"


def address_of(topology: Topology, base: str) -> str | None:
    """Where the trail says that a registration at *base* from 127.0.0.2 came from, though it claims another place."""
    transport = httpx2.HTTPTransport(verify=trusting(topology.folder), local_address="127.0.0.2")
    with httpx2.Client(base_url=base, transport=transport, headers={"X-Forwarded-For": "9.9.9.9, 8.8.8.8"}) as http:
        made = http.post("/register", json={"redirect_uris": ["http://127.0.0.1/cb"]}).json()
    engine = create_engine(topology.database_url)
    with engine.connect() as connection:
        query = text("SELECT address FROM audit_events WHERE client_id = :id AND name = 'client.registered'")
        found = connection.execute(query, {"id": made["client_id"]}).scalar()
    engine.dispose()
    return found


def test_plain_http_leads_to_https(topology: Topology):
    answer = httpx2.get(f"http://127.0.0.1:{topology.plain_port}/sign-in?next=/")
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{topology.site.issuer}/sign-in?next=/")


def test_what_nginx_logs_of_a_mailed_link_opens_nothing(topology: Topology):
    link = "/password?secret=mcpl_planted"
    with topology.http() as http:
        http.get(link, headers={"Referer": f"{topology.site.issuer}{link}"})
    httpx2.get(f"http://127.0.0.1:{topology.plain_port}{link}")
    until = time.monotonic() + LOGGED_SECONDS
    while (logged := (topology.folder / ACCESS_LOG).read_text()).count('"GET /password"') < 2:
        assert time.monotonic() < until, logged
        time.sleep(0.05)
    assert "planted" not in logged


@pytest.mark.requirement("TK-10")
def test_nginx_keeps_status_lists_and_keys_for_whole_fleets_and_nothing_else(topology: Topology):
    with topology.http() as http:
        listed = http.get("/.well-known/oauth-authorization-server").json()["jwks_uri"]
        kept = [http.get(listed).headers["X-Cache"] for _ in range(20)]
        assert {"HIT", "EXPIRED", "REVALIDATED", "UPDATING", "MISS"} >= set(kept)
        assert "HIT" in kept
        form = {"grant_type": "client_credentials", "resource": RESOURCE}
        answers = [http.post("/token", data=form, auth=topology.furnished.machine) for _ in range(2)]
    assert all("X-Cache" not in answer.headers for answer in answers)
    assert answers[0].json()["access_token"] != answers[1].json()["access_token"]


def test_no_request_fails_while_one_node_after_the_other_is_restarted(topology: Topology):
    with ExitStack() as opened:
        clients = [opened.enter_context(topology.client()) for _ in range(CLIENTS)]
        load = opened.enter_context(Load(clients, topology.furnished.machine, trusting(topology.folder)).running())
        for number, node in enumerate(topology.nodes):
            load.after(20)
            node.stop()
            load.after(20)
            topology.nodes[number] = topology.site.start(node.port)
            topology.nodes[number].until_ready()
            time.sleep(LEFT_ALONE_SECONDS)
        load.after(40)
    assert load.failures == []


@pytest.mark.requirement("AZ-12", "AZ-3")
def test_the_dance_goes_through_caddy_too(topology: Topology, tmp_path: Path):
    make_certificates(tmp_path)
    issuer_port = free_port()
    with caddy(tmp_path, issuer_port, (topology.nodes[0].port, topology.nodes[1].port)):
        base = f"https://localhost:{issuer_port}"
        with Client(base, topology.site.issuer, trusting(tmp_path)) as client:
            client.connect(topology.furnished.password)
            client.refresh()
        beside = replace(topology, folder=tmp_path)
        assert address_of(beside, base) == "127.0.0.2"


@contextmanager
def without_database(url: str) -> Iterator[None]:
    """Who is in the database at *url* is thrown out, and nobody gets in."""
    name = make_url(url).database
    engine = create_engine(make_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
        )
        try:
            yield
        finally:
            connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
    engine.dispose()


def test_while_the_database_is_away_proxies_hand_on_the_servers_own_answer(topology: Topology, tmp_path: Path):
    """No node is ready then, and a proxy that asked for that would have nobody left to ask."""
    make_certificates(tmp_path)
    port = free_port()
    form = {"grant_type": "client_credentials", "resource": RESOURCE}
    with (
        caddy(tmp_path, port, (topology.nodes[0].port, topology.nodes[1].port)),
        httpx2.Client(base_url=f"https://localhost:{port}", verify=trusting(tmp_path), timeout=30) as by_caddy,
        topology.http() as by_nginx,
    ):
        with without_database(topology.database_url):
            until = time.monotonic() + AWAY_SECONDS
            while time.monotonic() < until:
                for http in (by_caddy, by_nginx):
                    answer = http.post("/token", data=form, auth=topology.furnished.machine)
                    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "1")
                    assert answer.json()["error"] == "temporarily_unavailable"
                time.sleep(0.1)
            assert {http.get("/health/ready").status_code for http in (by_caddy, by_nginx)} == {503}
        until = time.monotonic() + BACK_SECONDS
        for http in (by_caddy, by_nginx):
            while (answer := http.post("/token", data=form, auth=topology.furnished.machine)).status_code != 200:
                assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "1")
                assert time.monotonic() < until
                time.sleep(0.1)
