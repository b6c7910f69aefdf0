"""The programs that tests and bench need from the system: browser, proxies, Redis, Node.js and others.

As root on Debian the missing ones are installed; elsewhere their names are printed, with the command that brings
them. Where there is no Node.js, the ``node`` group of ``pyproject.toml`` puts one into this virtual environment.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

NODE_MAJOR = 20
# Debian keeps servers in folders that a user's PATH may lack.
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])


@dataclass(frozen=True)
class Need:
    """A program by any of its ``names``, and the Debian ``package`` that brings it."""

    names: tuple[str, ...]
    package: str

    def is_met(self) -> bool:
        """Whether one of the names can be run."""
        return any(shutil.which(name, path=PATH) for name in self.names)


CHROMIUM = Need(("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"), "chromium")
NGINX = Need(("nginx",), "nginx-light")
CADDY = Need(("caddy",), "caddy")
PGBOUNCER = Need(("pgbouncer",), "pgbouncer")
REDIS = Need(("redis-server", "valkey-server"), "redis-server")
PROMTOOL = Need(("promtool",), "prometheus")
SOFTHSM = Need(("softhsm2-util",), "softhsm2")
FAKETIME = Need(("faketime",), "faketime")
WRK = Need(("wrk",), "wrk")
PURPOSES = {
    "test": (CHROMIUM, NGINX, CADDY, PGBOUNCER, REDIS, PROMTOOL, SOFTHSM, FAKETIME),
    "bench": (NGINX, WRK),
    "chaos": (FAKETIME, REDIS),
}


def packages_for(purpose: str) -> list[str]:
    """Return the Debian packages that ``purpose`` still needs."""
    return [need.package for need in PURPOSES[purpose] if not need.is_met()]


def has_node() -> bool:
    """Whether Node.js of at least ``NODE_MAJOR`` is there, with npm."""
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.", version)
    return found is not None and int(found[1]) >= NODE_MAJOR


def install_packages(packages: list[str]) -> None:
    """Install Debian packages; raise ``SystemExit`` with what to do where that cannot be done from here."""
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit(f"Missing on this machine: {', '.join(packages)}. On Debian: sudo {' '.join(command)}")
    print("Installing from Debian:", *packages)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update", "--quiet=2"], [*command, "--quiet=2"]):
        subprocess.run(step, env=quiet, check=True)


def install_node() -> None:
    """Install Node.js into the virtual environment that runs this script."""
    print(f"Installing Node.js from PyPI: the system has none of version {NODE_MAJOR} or newer")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "--constraint", "constraints.txt", "--group", "node"], check=True)


def main() -> None:
    """Install what is missing for the purpose given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("purpose", choices=sorted(PURPOSES))
    packages = packages_for(parser.parse_args().purpose)
    if packages:
        install_packages(packages)
    if not has_node():
        install_node()


if __name__ == "__main__":
    main()
