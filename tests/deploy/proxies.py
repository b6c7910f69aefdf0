"""nginx and Caddy with the very files of ``deploy/``, but for names, ports and folders, which are loopback's here."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.journeys.tls_proxy import trusting

from .site import ROOT

STOP_SECONDS = 20
DEPLOY = ROOT / "deploy"
ACCESS_LOG = "access.log"
AROUND = """
daemon off;
worker_processes 1;
{user}
pid {folder}/nginx.pid;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  include {folder}/authserver.conf;
}}
"""


def told(file: Path, changes: Mapping[str, str]) -> str:
    """The text of *file* with *changes*; each has to be there, or the file is another one than the test thinks."""
    text = file.read_text()
    for old, new in changes.items():
        assert old in text, f"{file.name} has no {old!r}"
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(folder: Path, port: int, plain_port: int, nodes: tuple[int, int]) -> Iterator[None]:
    """Serve ``deploy/nginx/authserver.conf`` by https on *port*, and by http on *plain_port*."""
    changes = {
        "node1:9000": f"127.0.0.1:{nodes[0]}",
        "node2:9000": f"127.0.0.1:{nodes[1]}",
        "listen 443": f"listen 127.0.0.1:{port}",
        "listen 80": f"listen 127.0.0.1:{plain_port}",
        "https://auth.example.com": f"https://localhost:{port}",
        "server_name auth.example.com": "server_name localhost",
        "/etc/nginx/tls/tls.crt": f"{folder}/server.pem",
        "/etc/nginx/tls/tls.key": f"{folder}/server.key",
        "/var/cache/nginx/authserver": f"{folder}/cache",
        "/var/log/nginx/access.log": f"{folder}/{ACCESS_LOG}",
    }
    (folder / "authserver.conf").write_text(told(DEPLOY / "nginx" / "authserver.conf", changes))
    user = "" if os.geteuid() else "user root;"
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with _running([program, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")], folder, port):
        yield


@contextmanager
def caddy(folder: Path, port: int, nodes: tuple[int, int]) -> Iterator[None]:
    """Serve ``deploy/caddy/Caddyfile`` by https on *port*, with a certificate of ours in place of ACME's."""
    changes = {
        "node1:9000": f"127.0.0.1:{nodes[0]}",
        "node2:9000": f"127.0.0.1:{nodes[1]}",
        "auth.example.com {": f"https://localhost:{port} {{\n\ttls {folder}/server.pem {folder}/server.key",
    }
    alone = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
    file = folder / "Caddyfile"
    file.write_text(alone + told(DEPLOY / "caddy" / "Caddyfile", changes))
    program = shutil.which("caddy") or "/usr/bin/caddy"
    command = [program, "run", "--config", str(file), "--adapter", "caddyfile"]
    with _running(command, folder, port, HOME=str(folder), XDG_DATA_HOME=str(folder), XDG_CONFIG_HOME=str(folder)):
        yield


@contextmanager
def _running(command: list[str], folder: Path, port: int, **environment: str) -> Iterator[None]:
    log = folder / "proxy.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output)
    try:
        while not _answers(f"https://localhost:{port}/health/ready", folder):
            time.sleep(0.05)
            assert process.poll() is None, log.read_text()[-3000:]
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _answers(url: str, folder: Path) -> bool:
    try:
        return httpx2.get(url, verify=trusting(folder)).status_code == 200
    except httpx2.TransportError:
        return False
