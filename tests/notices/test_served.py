"""Acceptance: a running node tells of what waits, and one that is killed has told nothing away."""

import json
import os
import signal
import subprocess
import threading
from pathlib import Path

from sqlalchemy import text

from authserver.outbound.signed_post import signature
from authserver.store.database import Database
from authserver.store.engine import create
from tests.outbound.authority import Authority
from tests.trail.collectors import Hook, hook
from tests.trail.test_killed_node import AUTHSERVER, environment, register, serving
from tests.trail.test_streaming import wait_for

from .conftest import SECRET

__all__ = ["environment"]


def told(*hooks: Hook) -> set[str]:
    """The clients of which the webhook was told that they wait."""
    posts = [json.loads(body) for each in hooks for _, body in each.posts]
    return {item["id"] for post in posts if post["type"] == "approval.client" for item in post["data"]["items"]}


def test_what_waits_is_told_by_a_node_and_after_a_kill_by_the_next(
    environment: dict[str, str],
    tmp_path: Path,
):
    authority, folder = Authority(tmp_path), tmp_path / "mail"
    answered: list[str] = []
    context = authority.serving("127.0.0.1")
    environment |= {
        "AUTHSERVER_REGISTRATION": "approval",
        "AUTHSERVER_MAIL_DIRECTORY": str(folder),
        "AUTHSERVER_MAIL_FROM": "authserver@auth.example",
        "AUTHSERVER_NOTICE_MAIL": '["ann@admin.example"]',
        "AUTHSERVER_NOTICE_GATHERING": "0",
        "AUTHSERVER_NOTICE_WEBHOOK_SECRET": SECRET,
        "AUTHSERVER_FETCH_CA_FILE": str(authority.ca_file),
    }
    with hook(context) as first:
        environment |= {
            "AUTHSERVER_NOTICE_WEBHOOK": first.url,
            "AUTHSERVER_FETCH_ENTERED_NETWORKS": f'["127.0.0.1:{first.port}=127.0.0.1/32"]',
        }
        subprocess.run([AUTHSERVER, "init"], env=environment, check=True, capture_output=True, timeout=60)
        with serving(environment) as node:
            register(environment["AUTHSERVER_ISSUER"], answered, threading.Event(), 1)
            wait_for(lambda: told(first) == set(answered) and list(folder.glob("*.eml")))
            [(headers, body)] = first.posts
            signed = signature(SECRET, headers["webhook-id"], headers["webhook-timestamp"], body)
            assert headers["webhook-signature"] == signed
            first.status = 503
            register(environment["AUTHSERVER_ISSUER"], answered, threading.Event(), 5)
            os.killpg(node.pid, signal.SIGKILL)
    database = Database(create(environment["AUTHSERVER_DATABASE_URL"]))
    with database.transaction() as connection:  # as two minutes do
        connection.execute(text("UPDATE audit_streams SET leased_until = 0"))
        connection.execute(text("UPDATE notice_messages SET try_at = 0 WHERE try_at IS NOT NULL"))
    database.close()
    with hook(context, first.port) as second, serving(environment):
        wait_for(lambda: told(first, second) == set(answered))
