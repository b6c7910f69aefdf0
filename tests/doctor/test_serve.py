"""``authserver serve`` with a public URL that leads nowhere: a warning some seconds later, and it serves."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.journeys.ports import free_port

AUTHSERVER = str(Path(sys.executable).with_name("authserver"))


@pytest.mark.requirement("DI-8")
def test_a_started_server_warns_of_its_public_url_and_goes_on(tmp_path, fresh_database_url):
    port, elsewhere = free_port(), free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AUTHSERVER_")},
        "AUTHSERVER_HOME": str(tmp_path),
        "AUTHSERVER_DATABASE_URL": fresh_database_url,
        "AUTHSERVER_ISSUER": f"https://127.0.0.2:{elsewhere}",  # loopback, and not known for it
        "AUTHSERVER_BIND": f"127.0.0.1:{port}",
    }
    subprocess.run([AUTHSERVER, "init"], env=environment, check=True, capture_output=True, timeout=60)
    with subprocess.Popen([AUTHSERVER, "serve"], env=environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            warned = next(line for line in server.stderr if "public URL" in line)
            assert httpx2.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200
        finally:
            server.terminate()
            rest = server.communicate(timeout=60)[1]
    told = json.loads(warned)
    assert (told["level"], told["check"]) == ("warning", "reachable")
    assert told["remedy"]
    assert "public URL" not in rest  # one of the workers looks, and once
