"""Two nodes of two workers each over one PostgreSQL, and nginx in front, which hands requests to either in turn."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.site import create_site
from tests.forked import authserver
from tests.journeys.ports import free_port
from tests.ready import is_ready

ROOT = Path(__file__).parents[2]
AUTHSERVER = str(Path(sys.executable).with_name("authserver"))
START_SECONDS = 120
STOP_SECONDS = 30
ENOUGH = ("REGISTRATIONS_PER_ADDRESS", "REGISTRATION_FLOOD_PER_ADDRESS", "SIGN_INS_PER_ADDRESS")
NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream nodes {{ {nodes} }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://nodes;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
}}
"""


@dataclass(frozen=True)
class Cluster:
    """``issuer`` is the URL of all, ``nodes`` are those of each. Commands run with ``environment``."""

    issuer: str
    nodes: tuple[str, str]
    environment: Mapping[str, str]

    def authserver(self, *arguments: str) -> None:
        """Run the ``authserver`` command, in a process beside the nodes."""
        authserver(*arguments, environment=self.environment, folder=ROOT)


@contextmanager
def cluster(folder: Path, database_url: str, nodes_url: str, **settings: str) -> Iterator[Cluster]:
    """Serve over the empty database at *database_url*, which the nodes reach at *nodes_url*.

    *settings* are more of them, by the names that they have in the environment.
    """
    home, port, ports = folder / "home", free_port(), (free_port(), free_port())
    issuer, nodes = f"http://127.0.0.1:{port}", tuple(f"http://127.0.0.1:{each}" for each in ports)
    home.mkdir()
    create_site(database_url, home, issuer=issuer).deployment.stores.database.close()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AUTHSERVER_")},
        "AUTHSERVER_HOME": str(home),
        "AUTHSERVER_DATABASE_URL": nodes_url,
        "AUTHSERVER_ISSUER": issuer,
        "AUTHSERVER_WORKERS": "2",
        "AUTHSERVER_TRUSTED_PROXIES": "1",
        **{f"AUTHSERVER_{name}": "100000 per minute" for name in ENOUGH},
        **settings,
    }
    with ExitStack() as stack:
        for each in ports:
            bound = environment | {"AUTHSERVER_BIND": f"127.0.0.1:{each}"}
            stack.enter_context(_running([AUTHSERVER, "serve"], bound))
        stack.enter_context(_running(_nginx(folder, port, ports), environment))
        for url in (*nodes, issuer):
            _await(url)
        yield Cluster(issuer, (nodes[0], nodes[1]), environment)


def _nginx(folder: Path, port: int, ports: tuple[int, ...]) -> list[str]:
    nodes = " ".join(f"server 127.0.0.1:{each};" for each in ports)
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=port, nodes=nodes))
    return [shutil.which("nginx") or "/usr/sbin/nginx", "-p", str(folder), "-e", "stderr", "-c", str(configuration)]


@contextmanager
def _running(command: list[str], environment: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, env=dict(environment))
    try:
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _await(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_ready(url):
        assert time.monotonic() < deadline, f"{url} did not become ready"
        time.sleep(0.05)
