"""From the version before to this one, with nobody noticing: old code on the new schema, and both side by side."""

import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from authserver.store import migrate

from . import earlier
from .client import Client
from .load import Load
from .site import ROOT, Site

ISSUER = "http://localhost:9000"
CLIENTS = 3


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code that came before, with an older schema."""
    if not earlier.is_known():
        pytest.skip("the history is shallow: the code of before is not in it")
    return earlier.unpack(tmp_path_factory.mktemp("old"))


def test_old_code_goes_on_over_the_new_schema_while_it_is_made_and_beside_new_code(
    old: Path, fresh_database_url: str, tmp_path: Path
):
    site = Site(tmp_path, fresh_database_url, ISSUER, {"sign_ins_per_address": "1000 per minute"})
    furnished = site.furnish(tree=old)
    lacking = migrate.pending(fresh_database_url)
    assert lacking
    with site.nodes(old) as nodes, ExitStack() as opened:
        at_old = f"http://127.0.0.1:{nodes[0].port}"
        clients = [opened.enter_context(_connected(at_old, furnished.password)) for _ in range(CLIENTS)]
        load = Load(clients, furnished.machine)
        with load.running():
            assert migrate.upgrade(fresh_database_url) == lacking
            load.after(50)
        assert load.failures == []
        opened.enter_context(_connected(at_old, furnished.password))
        with site.nodes(ROOT) as new:
            at_new = f"http://127.0.0.1:{new[0].port}"
            later = opened.enter_context(_connected(at_new, furnished.password))
            for client in (*clients, later):
                for base in (at_new, at_old, at_new):  # who is passed to and fro by a proxy in the midst of a rollout
                    client.at(base)
                    client.refresh()
            clients[0].revoke()
            clients[0].at(at_old)
            assert clients[0].refusal() == "invalid_grant"


def _connected(base: str, password: str) -> Client:
    client = Client(base, ISSUER)
    client.connect(password)
    return client


def test_a_node_of_new_code_refuses_to_serve_an_older_schema_and_says_what_to_do(
    fresh_database_url: str, tmp_path: Path
):
    site = Site(tmp_path, fresh_database_url, ISSUER)
    site.run(["init"])
    migrate.downgrade(fresh_database_url, migrate.lacking(None)[-2].revision)
    node = site.start()
    assert node.process.wait(60) != 0
    assert re.search("run 'authserver migrate' first", node.log.read_text())
