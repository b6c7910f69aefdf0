"""Servers beside a node that refuse whatever it shows them, so that its operator's secrets are part of errors."""

import json
import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from authserver.keys import wrapping
from tests.journeys.ports import free_port
from tests.outbound.authority import Authority
from tests.outbound.postbox import NAME, postbox
from tests.trail.collectors import hook
from tests.upstream.liar import liar

NETWORK = "127.0.0.1/32"


def planted() -> dict[str, str]:
    """Secrets of an operator by what they are for; none is what its server wants."""
    names = ("database", "mail", "audit webhook", "notice webhook", "path of webhooks", "Redis", "provider", "metrics")
    return {name: secrets.token_hex(20) for name in names} | {"another KEK": wrapping.generated()}


@contextmanager
def refusing(folder: Path, known: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The settings of a node among such servers, with what is *known*."""
    authority = Authority(folder)
    context, local = authority.serving("127.0.0.1"), authority.serving("localhost")
    with postbox(context, auth=True) as mail, hook(context) as hooked, liar(local) as provider, _redis(folder) as redis:
        hooked.status = 503
        provider.answers["/token"] = 401, b'{"error": "invalid_client"}'
        url = f"https://127.0.0.1:{hooked.port}/{known['path of webhooks']}"
        upstream = {"id": "liar", "name": "Liar", "issuer": provider.issuer, "client_id": "us"}
        yield {
            "fetch_ca_file": str(authority.ca_file),
            "fetch_entered_networks": [
                f"127.0.0.1:{hooked.port}={NETWORK}",
                f"localhost:{provider.issuer.rpartition(':')[2]}={NETWORK}",
            ],
            "mail_host": "127.0.0.1",
            "mail_port": mail.port,
            "mail_username": NAME,
            "mail_password": known["mail"],
            "mail_from": "authserver@auth.example",
            "notice_mail": ["ann@admin.example"],
            "notice_gathering": 0,
            "notice_webhook": url,
            "notice_webhook_secret": known["notice webhook"],
            "audit_webhook": url,
            "audit_webhook_secret": known["audit webhook"],
            "redis_url": f"redis://:{known['Redis']}@127.0.0.1:{redis}/0",
            "metrics_token": known["metrics"],
            "registration": "approval",
            "access_log": True,
            "log_level": "DEBUG",
            "upstream": {**upstream, "client_secret": known["provider"]},
        }


def written(settings: dict[str, Any]) -> str:
    """*settings* as a file has them."""
    upstream = settings["upstream"]
    own = [f"{name} = {json.dumps(value)}" for name, value in settings.items() if value is not upstream]
    return "\n".join([*own, "[[upstream]]", *(f"{name} = {json.dumps(value)}" for name, value in upstream.items())])


@contextmanager
def role_with_password(url: str, password: str) -> Iterator[tuple[str, Callable[[], None]]]:
    """The URL of the PostgreSQL database at *url* for a role with that *password*, and what has it refused.

    Whoever else uses the server is asked for no password, as before.
    """
    name = f"planted_{secrets.token_hex(4)}"
    rule, role = f"local all {name} scram-sha-256\n", sql.Identifier(name)
    server = make_url(url).set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as admin:
        (found,) = admin.execute("SHOW hba_file").fetchone() or ("",)
        rules = Path(found)
        made = sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}")
        admin.execute(made.format(role, password))
        rules.write_text(rule + rules.read_text())
        admin.execute("SELECT pg_reload_conf()")

        def refuse() -> None:
            admin.execute(sql.SQL("ALTER ROLE {} PASSWORD 'another one'").format(role))
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [name])

        try:
            own = make_url(url).set(username=name, password=password)
            yield own.render_as_string(hide_password=False), refuse
        finally:
            rules.write_text(rules.read_text().replace(rule, ""))
            admin.execute("SELECT pg_reload_conf()")
            admin.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(role))  # it may own a part of the database


@contextmanager
def _redis(folder: Path) -> Iterator[int]:
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen([*command, "--requirepass", "another one"], stdout=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.kill()
        process.wait(30)
