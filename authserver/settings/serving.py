"""Where the server is, what it keeps, and how many processes it has."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from ..protocol.errors import InvalidTarget
from ..protocol.resource import canonical
from .group import LOOPBACK_HOSTS, Group
from .rate import Ceiling

ISSUER_PATH = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)*")


class Serving(Group):
    """The server itself."""

    issuer: str = "http://localhost:9000"
    """The public URL of this server, byte for byte as clients see it in tokens and metadata. Must be https, or http
    on localhost. It may have a path (https://host/tenant1). No request header ever changes it."""

    home: Path = Path("var")
    """Folder of the embedded database and of the key file. Created at ``authserver init``, readable by its owner."""

    database_url: str = ""
    """SQLAlchemy URL: ``postgresql+psycopg://user:password@host/name``, or ``sqlite:////path/file``. Empty means
    the embedded SQLite database in the home folder."""

    database_url_file: str = ""
    """File that holds that URL instead, as secrets are mounted."""

    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = 0
    """How many proxies in front add to ``X-Forwarded-For``; 0 takes the address of the connection itself. What came by
    fewer of them has no address: a rule about a network does not know it."""

    bind: str = "127.0.0.1:9000"
    """Address and port that ``authserver serve`` listens on."""

    workers: Annotated[int, Field(ge=1, le=256)] = 2
    """Worker processes of ``authserver serve``."""

    threads: Annotated[int, Field(ge=1, le=256)] = 8
    """Threads per worker process."""

    pin_workers: bool = True
    """Whether each worker process runs on one core, that which the fewest workers of the machine have. Containers do
    not see each other's workers: there ``false`` leaves it to the system, unless each has cores of its own (a cpuset).
    """

    tool_manifests_per_guard: Ceiling = "60 per hour"
    """Ceiling of the manifests of tools that the guard of one MCP server publishes. All replicas of that server share
    it. Each worker process counts for itself where there is no ``redis_url``."""

    check_public_url: bool = True
    """After its start, look at the issuer's URL once, as clients see it, and warn in the log of what is wrong there
    (``authserver doctor`` looks at more). Nothing stops because of it. An issuer on loopback is not looked at."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least level of the lines that are logged."""

    @field_validator("issuer")
    @classmethod
    def _issuer_is_https_or_loopback(cls, issuer: str) -> str:
        try:
            shortest = canonical(issuer)
        except InvalidTarget:
            raise ValueError("must be an absolute http(s) URL without fragment (RFC 8414 section 2)") from None
        parts = urlsplit(shortest)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
            raise ValueError("must be https: plain http is for localhost, 127.0.0.1 and [::1] only")
        if shortest != issuer or not ISSUER_PATH.fullmatch(issuer.removeprefix(f"{parts.scheme}://{parts.netloc}")):
            raise ValueError("must be lower case, without default port, query, trailing slash or unusual path")
        return issuer

    @property
    def secure(self) -> bool:
        """Whether browsers reach the server by https."""
        return self.issuer.startswith("https://")

    @property
    def looks_at_itself(self) -> bool:
        """Whether a started server checks its own public URL."""
        return self.check_public_url and urlsplit(self.issuer).hostname not in LOOPBACK_HOSTS

    @model_validator(mode="after")
    def _database_url_is_given_once(self) -> Self:
        if self.database_url and self.database_url_file:
            raise ValueError("database_url and database_url_file exclude each other")
        if not self.url_of_database:
            raise ValueError("the file of database_url_file is empty")
        return self

    @property
    def url_of_database(self) -> str:
        """`database_url`, from wherever it is, or the embedded database in the home folder. Raises `ValueError`."""
        if not self.database_url_file:
            return self.database_url or f"sqlite:///{self.home.absolute() / 'authserver.sqlite3'}"
        try:
            return Path(self.database_url_file).read_text("utf-8").strip()
        except (OSError, UnicodeError):
            raise ValueError("the file of database_url_file cannot be read") from None
