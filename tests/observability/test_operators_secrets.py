"""Secrets of operators, all of them refused where a running node shows them: nothing that anybody reads has any."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2

from authserver.keys import wrapping
from authserver.protocol import own_api
from tests.conformance.flow import PUBLIC
from tests.conformance.site import create_site
from tests.conformance.visitor import forms
from tests.database import Databases
from tests.journeys.ports import free_port
from tests.ready import is_ready

from .refusing import planted, refusing, role_with_password, written
from .test_secrets import around

SERVE = [str(Path(sys.executable).with_name("authserver")), "serve"]
SECONDS = 120
TOLD = {
    ("a notice was not taken", "mail:ann@admin.example"),
    ("a notice was not taken", "webhook"),
    ("the audit trail was not taken", "webhook"),
    ("Redis cannot be reached: this process counts by itself", None),
    ("upstream.refused", None),
}


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@contextmanager
def serving(environment: Mapping[str, str], issuer: str, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(SERVE, env=dict(environment), stdout=output, stderr=output)
    try:
        until(lambda: process.poll() is not None or is_ready(issuer), "the node did not start")
        assert process.poll() is None, log.read_text()[-2000:]
        yield
    finally:
        process.terminate()
        process.wait(30)


def refused_start(environment: Mapping[str, str]) -> str:
    """What a node says that cannot start."""
    done = subprocess.run(SERVE, env=dict(environment), capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode != 0
    return done.stdout + done.stderr


def told(log: Path) -> set[tuple[str, str | None]]:
    """The events in the log, each with its target if it has one."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
    return {(line["event"], line.get("target")) for line in lines}


def come_from_provider(issuer: str) -> httpx2.Response:
    """Sign in by the provider, which does not take the node's secret."""
    with closing(httpx2.Client()) as http:
        page = http.get(f"{issuer}/sign-in")
        form = next(each for each in forms(page) if ("upstream", "liar") in each.buttons)
        headers = {"Referer": str(page.url), "Origin": issuer}
        sent = http.post(str(page.url), data={**dict(form.fields), "upstream": "liar"}, headers=headers)
        state = dict(parse_qsl(urlsplit(sent.headers["Location"]).query))["state"]
        return http.get(urljoin(issuer, "/sign-in/from/liar"), params={"code": "a code", "state": state})


def asked(issuer: str, metrics: str) -> list[httpx2.Response]:
    """What strangers, programs and a scraper are answered; none of it well without a database."""
    return [
        httpx2.get(f"{issuer}/sign-in"),
        httpx2.get(f"{issuer}/authorize", params={"client_id": "nobody", "response_type": "code"}),
        httpx2.post(f"{issuer}/token", data={"grant_type": "refresh_token", "client_id": "x", "refresh_token": "y"}),
        httpx2.post(f"{issuer}/register", json=PUBLIC),
        httpx2.get(f"{issuer}{own_api.PATH}/clients", headers={"Authorization": "Bearer none"}),
        httpx2.get(f"{issuer}/health/ready"),
        httpx2.get(f"{issuer}/metrics", headers={"Authorization": f"Bearer {metrics}"}),
    ]


def set_up(url: str, folder: Path, issuer: str, known: dict[str, str]) -> dict[str, str]:
    """The environment of a node over the empty database at *url*, but for that; its key goes from its file to there."""
    home = folder / "home"
    home.mkdir()
    create_site(url, home, issuer=issuer).deployment.stores.database.close()
    key = home / wrapping.FILE_NAME
    known["KEK"] = key.read_text().strip()
    key.unlink()
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AUTHSERVER_")},
        "AUTHSERVER_HOME": str(home),
        "AUTHSERVER_ISSUER": issuer,
        "AUTHSERVER_BIND": urlsplit(issuer).netloc.replace("localhost", "127.0.0.1"),
        "AUTHSERVER_WORKERS": "1",
        "AUTHSERVER_KEY_ENCRYPTION_KEY": known["KEK"],
    }


def meet_refusals(issuer: str, log: Path, known: dict[str, str]) -> list[httpx2.Response]:
    """Have the node show its secrets to mail server, webhooks, Redis and provider; what it answers meanwhile."""
    assert httpx2.post(f"{issuer}/register", json=PUBLIC).status_code == 201
    came = come_from_provider(issuer)
    assert came.status_code == 502
    until(lambda: told(log) >= TOLD, "something was not told")
    return [came, *asked(issuer, known["metrics"])]


def without_database(issuer: str, known: dict[str, str]) -> list[httpx2.Response]:
    """What a node answers whose database does not take its password any more."""
    until(lambda: httpx2.get(f"{issuer}/health/ready").status_code == 503, "it still has its database")
    answers = asked(issuer, known["metrics"])
    assert [answer.status_code for answer in answers].count(503) > 2
    return answers


def test_no_secret_of_an_operator_is_told_by_a_node_to_which_everybody_refuses_it(
    databases: Databases, tmp_path: Path
) -> None:
    url, issuer, log, known = databases.create(), f"http://localhost:{free_port()}", tmp_path / "log", planted()
    environment, read = set_up(url, tmp_path, issuer, known), dict[str, str]()
    with ExitStack() as stack:
        settings = stack.enter_context(refusing(tmp_path, known))
        (tmp_path / "home" / "authserver.toml").write_text(written(settings))
        way, refuse = url, None
        if url.startswith("postgresql"):
            way, refuse = stack.enter_context(role_with_password(url, known["database"]))
        environment["AUTHSERVER_DATABASE_URL"] = way
        with serving(environment, issuer, log):
            answers = meet_refusals(issuer, log, known)
            another = {**environment, "AUTHSERVER_KEY_ENCRYPTION_KEY": known["another KEK"]}
            read["start with another KEK"] = refused_start(another)
            if refuse:
                refuse()
                answers += without_database(issuer, known)
                read["start without database"] = refused_start(environment)
        read["log"] = log.read_text()
        read["answers"] = "\n".join(f"{answer.headers}\n{answer.text}" for answer in answers)
    databases.drop(url)
    assert "authserver_database_up" in read["answers"]
    assert "535" in read["log"], "the mail server's answer"
    assert ("password authentication failed" in read["log"]) is bool(refuse)
    for kind, secret in known.items():
        for where, found in read.items():
            assert secret not in found, f"{kind} in the {where}: {around(found, secret)}"
