"""Calls that prepare a load: one kept connection to one server."""

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .contestant import BenchError

FORM = "application/x-www-form-urlencoded"


class Caller:
    """A connection to *origin*, kept open; answers are JSON. Anything but a 2xx raises `BenchError`."""

    def __init__(self, origin: str) -> None:
        """*origin* is scheme, host and port."""
        self._connection = http.client.HTTPConnection(urlsplit(origin).netloc, timeout=60)

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_ended: object) -> None:
        self._connection.close()

    def post_form(self, path: str, form: str, authorization: str = "") -> Any:  # noqa: ANN401 - JSON
        """POST *form*, urlencoded already, and return the answer; *authorization* is a header's value."""
        return self._post(path, form, FORM, {"Authorization": authorization} if authorization else {})

    def post_json(self, path: str, body: object) -> Any:  # noqa: ANN401 - JSON
        """POST *body* as JSON and return the answer."""
        return self._post(path, json.dumps(body), "application/json", {})

    def _post(self, path: str, body: str, content_type: str, head: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
        self._connection.request("POST", path, body, {"Content-Type": content_type, **head})
        response = self._connection.getresponse()
        answer = response.read()
        if response.status not in (200, 201):
            raise BenchError(f"POST {path} was answered by {response.status}: {answer[:300]!r}")
        return json.loads(answer)
