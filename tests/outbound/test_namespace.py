"""The default policy in a network of its own in which every address answers: nothing at all is replaced."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .test_addresses import REFUSED

ROOT = Path(__file__).resolve().parents[2]
EVERYTHING_IS_HERE = "ip link set lo up; ip route add local 0.0.0.0/0 dev lo; ip -6 route add local ::/0 dev lo"


def in_namespace(*command: str) -> subprocess.CompletedProcess[str]:
    script = f'set -e; {EVERYTHING_IS_HERE}; exec "$@"'
    arguments = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", script, "sh", *command]
    return subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.requirement("CR-8")
def test_only_the_public_address_is_reached_although_all_others_answer():
    try:
        possible = in_namespace("true").returncode == 0
    except FileNotFoundError:
        possible = False
    if not possible:
        pytest.skip("this system gives no network namespaces to its users")
    done = in_namespace(sys.executable, "-m", "tests.outbound.whole_internet")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["careless"] > len(REFUSED) / 2
    assert (found["refused"], found["public"], found["connections"]) == (len(REFUSED), 200, 1)
