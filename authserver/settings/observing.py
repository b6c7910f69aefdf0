"""Who may see how the server does, and what it tells (docs/observability.md)."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from .group import Group

ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):([1-9][0-9]{0,4})")
LEAST_TOKEN = 24


class Observing(Group):
    """Metrics, lines of requests, and traces."""

    metrics_bind: str = ""
    """Address and port that ``authserver serve`` gives metrics at, by plain HTTP to whoever reaches it:
    ``127.0.0.1:9464``. Empty means none."""

    metrics_token: SecretStr = SecretStr("")
    """Opens ``/metrics`` beside the other endpoints to who sends it as a bearer token: at least 24 characters. Empty
    means that there is no such path."""

    metrics_token_file: str = ""
    """File that holds the token instead."""

    access_log: bool = False
    """Write a line for each request: method, route, status, duration, client, error, correlation id. No query string,
    no address of a page that opens something."""

    traceparent_from: Literal["nobody", "proxies", "anyone"] = "nobody"
    """Whose ``traceparent`` (W3C Trace Context) counts: that of what came by all ``trusted_proxies``, or anyone's. Its
    trace id is then the correlation id of log and audit trail."""

    traces_endpoint: str = ""
    """Where spans are sent (OTLP over HTTP): ``http://127.0.0.1:4318/v1/traces``. Needs the extra
    ``mcp-authserver[otel]``. Empty means that nothing is traced."""

    traces_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of the traces that begin here which is recorded; those of a ``traceparent`` follow what it says."""

    drain_seconds: Annotated[int, Field(ge=0, le=600)] = 0
    """How long a worker that is told to stop goes on to take requests while ``/health/serving`` says that it drains,
    for a proxy that looks there to find the other nodes. Seconds, which come on top of the 20 in which what was begun
    is answered: with more than 15 the 40 that systemd, compose and Kubernetes wait here before they kill are too few.
    """

    @field_validator("metrics_bind")
    @classmethod
    def _bind_can_be_read(cls, bind: str) -> str:
        found = ADDRESS.fullmatch(bind)
        if bind and not (found and int(found[2]) < 65_536):
            raise ValueError("must be address:port, such as 127.0.0.1:9464")
        return bind

    @field_validator("traces_endpoint")
    @classmethod
    def _endpoint_is_a_url(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return url

    @model_validator(mode="after")
    def _token_is_long(self) -> Self:
        if 0 < len(self.token_of_metrics) < LEAST_TOKEN:
            raise ValueError(f"metrics_token must have at least {LEAST_TOKEN} characters")
        return self

    @property
    def metrics_address(self) -> tuple[str, int] | None:
        """Host and port of ``metrics_bind``."""
        found = ADDRESS.fullmatch(self.metrics_bind)
        return (found[1].strip("[]"), int(found[2])) if found else None

    @property
    def token_of_metrics(self) -> str:
        """What opens ``/metrics``, from wherever it is. Raises `ValueError`."""
        if not self.metrics_token_file:
            return self.metrics_token.get_secret_value()
        try:
            return Path(self.metrics_token_file).read_text("utf-8").strip()
        except (OSError, UnicodeError):
            raise ValueError("the file of metrics_token_file cannot be read") from None

    @property
    def shows_metrics(self) -> bool:
        """Whether anybody may read metrics."""
        return bool(self.metrics_bind or self.token_of_metrics)
