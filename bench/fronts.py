"""Ways to put our server on the network: gunicorn as shipped, granian in its place, nginx with a cache before it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .contestant import BenchError
from .process import answers, free_port, running

GRANIAN = str(Path(sys.executable).with_name("granian"))
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
WORKERS = 2
MOST = 4096  # connections, of each worker: guards keep theirs
CONFIGURATION = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_cache_path {folder}/cache keys_zone=documents:1m;
  upstream authserver {{ server 127.0.0.1:{upstream}; keepalive 8; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    keepalive_requests 100000;
    location / {{
      proxy_pass http://authserver;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_cache documents;
      proxy_cache_lock on;
      proxy_cache_revalidate on;
    }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Front:
    """Where the server is reached by this way: its *port*, and the process ids whose trees do the work."""

    name: str
    port: int
    roots: tuple[int, ...]


@contextmanager
def granian(folder: Path, environment: Mapping[str, str], database: int, threads: int = 0) -> Iterator[Front]:
    """A second server of the deployment whose *environment* it gets; each worker has so many *threads*, or granian's.

    Its workers are pinned to no core.
    """
    port = free_port()
    own = {**environment, "GRANIAN_HOST": "127.0.0.1", "GRANIAN_PORT": str(port), "PYTHONPATH": str(Path.cwd())}
    command = [GRANIAN, "--interface", "wsgi", "--workers", str(WORKERS), "--backpressure", str(MOST)]
    command += [*(["--blocking-threads", str(threads)] if threads else []), "wsgi:app"]
    if not Path(GRANIAN).exists():
        raise BenchError("granian is missing: 'make bench' installs it")
    with running(command, folder / "granian.log", ready=lambda: answers(port), environment=own) as process:
        yield Front("granian", port, (process.pid, database))


@contextmanager
def threaded(folder: Path, environment: Mapping[str, str], database: int) -> Iterator[Front]:
    """The same, by gunicorn's own threaded worker."""
    port = free_port()
    own = {**environment, "BARE_BIND": f"127.0.0.1:{port}", "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-m", "gunicorn", "-c", "python:bench.bare", "wsgi:app"]
    with running(command, folder / "threaded.log", ready=lambda: answers(port), environment=own) as process:
        yield Front("gunicorn's own threaded worker", port, (process.pid, database))


@contextmanager
def bare(folder: Path, environment: Mapping[str, str]) -> Iterator[Front]:
    """An application that answers everything by 304, in gunicorn with the settings of *environment*."""
    port = free_port()
    own = {**environment, "BARE_BIND": f"127.0.0.1:{port}", "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-m", "gunicorn", "-c", "python:bench.bare", "bench.bare:app"]
    with running(command, folder / "bare.log", ready=lambda: answers(port), environment=own) as process:
        yield Front("gunicorn, an application of two lines", port, (process.pid,))


@contextmanager
def nginx(folder: Path, upstream: Front, port: int) -> Iterator[Front]:
    """Nginx at *port* before *upstream*, which keeps what it may for as long as it may."""
    own = folder / "nginx"
    own.mkdir()
    configuration = own / "nginx.conf"
    user = "" if os.geteuid() else "user root;"
    configuration.write_text(CONFIGURATION.format(user=user, folder=own, port=port, upstream=upstream.port))
    command = [NGINX, "-p", str(own), "-e", str(own / "error.log"), "-c", str(configuration)]
    with running(command, folder / "nginx.log", ready=lambda: answers(port)) as process:
        yield Front("nginx with a cache, gunicorn", port, (process.pid, *upstream.roots))


def nginx_version() -> str:
    """Its version."""
    said = subprocess.run([NGINX, "-v"], capture_output=True, text=True, check=False).stderr
    return said.strip().rpartition("/")[2]
