"""Receipts of a WSGI server: on disk before the answer has left, and sent."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.middleware.asgi_client import tool_call
from tests.middleware.issuer import Issuer
from tests.middleware.test_delivery import Receiving, receiving, sending, until
from tests.middleware.test_receipts import result
from tests.middleware.wsgi_client import ask

__all__ = ["receiving"]

pytestmark = pytest.mark.requirement("RS-8")


def test_a_wsgi_server_sends_too(issuer: Issuer, receiving: Receiving, tmp_path: Path):
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(result())))])
        yield result()
        assert [file.read_bytes().count(b"\n") for file in (tmp_path / "spool").rglob("*.receipts")] == [1]

    guard = sending(issuer, tmp_path)
    body = json.dumps(tool_call("read_note")).encode()
    assert ask(guard, app, body=body, HTTP_AUTHORIZATION=f"Bearer {issuer.token()}").status == 200
    asyncio.run(until(lambda: len(receiving.ids) == 1))
    [[receipt]] = receiving.batches
    assert receipt["outcome"] == "ok"
