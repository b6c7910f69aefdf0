"""Settings: typed, checked at start, documented by their own docstrings.

They come from the environment (``AUTHSERVER_ISSUER=…``), then from the TOML file that ``AUTHSERVER_CONFIG`` names or
else ``authserver.toml`` in the home folder, then from the defaults below, which ``config/default.toml`` repeats.
"""

import os
import re
import ssl
import tomllib
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from .protocol.errors import InvalidTarget
from .protocol.registration.mode import RegistrationMode
from .protocol.registration.redirect_hosts import RedirectHosts, check_entry
from .protocol.resource import canonical

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
Seconds = Annotated[int, Field(ge=1)]
DAY = 86_400
IPNetwork = IPv4Network | IPv6Network
PROXY = re.compile(r"http://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})/?")
PIN = re.compile(r"(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})=(?P<networks>.+)")
ISSUER_PATH = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)*")


class SettingsError(ValueError):
    """A setting is wrong; the text tells which, and what would be right."""


class Settings(BaseSettings):
    """All settings of one deployment."""

    model_config = SettingsConfigDict(
        env_prefix="AUTHSERVER_", frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    issuer: str = "http://localhost:9000"
    """The public URL of this server, byte for byte as clients see it in tokens and metadata. Must be https, or http
    on localhost. It may have a path (https://host/tenant1). No request header ever changes it."""

    home: Path = Path("var")
    """Folder of the embedded database and of the key file. Created at ``authserver init``, readable by its owner."""

    database_url: str = ""
    """SQLAlchemy URL: ``postgresql+psycopg://user:password@host/name``, or ``sqlite:////path/file``. Empty means
    the embedded SQLite database in the home folder."""

    key_encryption_key: SecretStr = SecretStr("")
    """Encrypts the signing keys at rest: 32 bytes as base64url. Empty means the file ``key-encryption.key`` in the
    home folder (mode 0600), which ``authserver init`` creates."""

    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = 0
    """How many proxies in front add to ``X-Forwarded-For``; 0 takes the address of the connection itself."""

    bind: str = "127.0.0.1:9000"
    """Address and port that ``authserver serve`` listens on."""

    workers: Annotated[int, Field(ge=1, le=256)] = 2
    """Worker processes of ``authserver serve``."""

    threads: Annotated[int, Field(ge=1, le=256)] = 8
    """Threads per worker process."""

    access_token_lifetime: Annotated[int, Field(ge=30, le=86_400)] = 600
    """Seconds that an access token lives."""

    access_token_algorithm: Literal["ES256", "RS256", "EdDSA"] = "ES256"  # noqa: S105 - an algorithm
    """Signature of access tokens. ES256 is the fastest here and known to every library."""

    authorization_code_lifetime: Annotated[int, Field(ge=5, le=60)] = 60
    """Seconds in which a code must be redeemed."""

    refresh_token_lifetime: Seconds = 30 * DAY
    """Seconds after which an unused refresh token ends (sliding)."""

    refresh_family_lifetime: Seconds = 180 * DAY
    """Seconds after which a person must authorize again, however often the client refreshed (absolute)."""

    refresh_retry_window: Annotated[int, Field(ge=0, le=300)] = 30
    """Seconds in which a rotated refresh token may be presented again after a lost answer; 0 allows none."""

    session_lifetime: Seconds = 30 * DAY
    """Seconds after which a person signs in again."""

    session_idle: Seconds = 7 * DAY
    """Seconds without a request after which a session ends."""

    registration: RegistrationMode = RegistrationMode.OPEN
    """Dynamic client registration (RFC 7591): ``open`` to anyone within the ceilings; ``token`` to who has an initial
    access token (``authserver registration-token add``); ``approval``, open to anyone, but a client may do nothing
    before an administrator approves it; or ``closed``."""

    registration_redirect_hosts: list[str] = []
    """Redirect hosts that clients may register, and that people are still sent to: ``claude.ai``, ``*.example.com``
    (hosts below it), ``example.com:8443``, ``localhost`` (all loopback addresses), ``cursor:`` (the scheme of an app).
    Empty allows any. Clients that an administrator registered are not asked."""

    registrations_per_address: str = "120 per hour"
    """Ceiling of registrations from one address to one set of redirect hosts, for clients on people's own devices
    (loopback, apps): an office may share an address. Each worker process counts for itself, here and below."""

    hosted_registrations_per_address: str = "1000 per hour"
    """The same for clients all of whose redirect hosts are https: a hosted client registers for each of its users,
    from a few addresses."""

    registration_flood_per_address: str = "2000 per hour"
    """Ceiling of registrations from one address, and of changes to them, whatever the redirect hosts are."""

    most_unused_registrations: Annotated[int, Field(ge=100)] = 100_000
    """How many registrations that nobody ever used the database holds, all processes together: beyond it no further
    one is taken. From three quarters on the oldest of them go early, though none within its first hour."""

    unused_registration_lifetime: Annotated[int, Field(ge=3600)] = 30 * DAY
    """Seconds after which a dynamic registration that no person ever allowed anything is deleted."""

    idle_registration_lifetime: Annotated[int, Field(ge=0)] = 365 * DAY
    """Seconds after its last authorization at which a dynamic client ends, 0 for never; in any case a day more than
    ``refresh_family_lifetime``, when none of its tokens is left. Its id stays known as that of a deleted one."""

    share_identical_registrations: bool = False
    """Whether public clients that register the same (but for loopback ports) get the same client id. Such a client
    has no registration access token: it cannot be changed or deleted by whoever registered it."""

    metadata_documents: bool = True
    """Clients may name themselves by the URL of their metadata document (CIMD), which this server then fetches."""

    metadata_document_domains: Literal["any", "ask", "listed"] = "any"
    """Which domains those documents may lie in: ``any``, ``ask`` (an administrator approves each client of a domain
    that was not decided about), or ``listed`` (only domains that ``authserver domain allow`` names)."""

    metadata_document_changes: Literal["apply", "hold"] = "apply"
    """When a document's name, redirect URIs, keys' address or authentication method change: ``apply`` asks people
    again, ``hold`` keeps to the old document until ``authserver document accept``."""

    metadata_document_fetches_per_address: str = "30 per minute"
    """Ceiling of fetches that requests from one address cause, in the notation of the limits library."""

    software_statement_issuers: dict[str, str | dict[str, Any]] = {}
    """Whose software statements are believed (RFC 7591 §2.3): the ``iss`` of each, and its JWK Set, as a file or by
    value. What they say wins over the client's own words. Statements of others are kept and not believed."""

    sign_ins_per_address: str = "60 per minute"
    """Ceiling of sign-in attempts from one address; wrong passwords are slowed down long before it."""

    failed_sign_in_delay: Annotated[float, Field(ge=0, le=60)] = 1.0
    """Seconds that the second failed sign-in in a row costs; each further failure doubles it, up to 15 minutes."""

    password_hash_slots: Annotated[int, Field(ge=1, le=64)] = 1
    """Password hashes that one worker computes at once; a sign-in that finds no slot in time is asked to retry."""

    next_key_lead: Seconds = 600
    """Seconds between the publication of a signing key and its first use, for caches of the JWKS to fill."""

    fetch_proxy: str = ""
    """Egress proxy for the documents that clients name by URL: ``http://host:port``, asked by CONNECT for addresses
    that were resolved and judged here. Empty means none; proxy variables of the environment are not read."""

    fetch_exceptions: list[str] = []
    """Hosts that clients may name by URL although they are not on the public internet: test hosts, intranets. Each is
    ``host:port=network`` or ``host:port=network,network``, such as ``cimd.test:8443=127.0.0.1/32``: that host and port
    may be fetched from, in those networks only."""

    fetch_entered_networks: list[str] = []
    """Hosts in private networks that administrators' own entries (such as the ``jwks_uri`` of a pre-registered client)
    may lead to, written like `fetch_exceptions`. No URL that a client supplied is ever fetched from there."""

    fetch_ca_file: str = ""
    """PEM file of certification authorities that are trusted for fetches, beside the system's own."""

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

    @field_validator("fetch_proxy")
    @classmethod
    def _proxy_is_a_host_and_port(cls, proxy: str) -> str:
        found = PROXY.fullmatch(proxy)
        if proxy and not (found and 0 < int(found["port"]) < 65_536):
            raise ValueError("must be http://host:port, without user name and password")
        return proxy

    @field_validator("fetch_exceptions", "fetch_entered_networks")
    @classmethod
    def _exceptions_are_pins(cls, exceptions: list[str]) -> list[str]:
        for text in exceptions:
            _pin(text)
        return exceptions

    @field_validator("fetch_ca_file")
    @classmethod
    def _ca_file_holds_certificates(cls, ca_file: str) -> str:
        try:
            if ca_file:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
        except OSError as wrong:
            raise ValueError(f"{ca_file}: no certificates in PEM could be read ({wrong.strerror})") from None
        return ca_file

    @property
    def pinned_hosts(self) -> dict[tuple[str, int], tuple[IPNetwork, ...]]:
        """`fetch_exceptions` by host and port."""
        return dict(_pin(text) for text in self.fetch_exceptions)

    @field_validator("registration_redirect_hosts")
    @classmethod
    def _redirect_hosts_are_hosts(cls, entries: list[str]) -> list[str]:
        return [check_entry(entry) for entry in entries]

    @property
    def allowed_redirect_hosts(self) -> RedirectHosts:
        """`registration_redirect_hosts` as the policy that it is."""
        return RedirectHosts(tuple(self.registration_redirect_hosts))

    @property
    def entered_networks(self) -> dict[tuple[str, int], tuple[IPNetwork, ...]]:
        """`fetch_entered_networks` by host and port."""
        return dict(_pin(text) for text in self.fetch_entered_networks)

    @property
    def secure(self) -> bool:
        """Whether browsers reach the server by https."""
        return self.issuer.startswith("https://")

    @property
    def looks_at_itself(self) -> bool:
        """Whether a started server checks its own public URL."""
        return self.check_public_url and urlsplit(self.issuer).hostname not in LOOPBACK_HOSTS

    @property
    def url_of_database(self) -> str:
        """`database_url`, or the embedded database in the home folder."""
        return self.database_url or f"sqlite:///{self.home.absolute() / 'authserver.sqlite3'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over what `load` read from the file, which it passes as arguments."""
        return env_settings, init_settings


def _pin(text: str) -> tuple[tuple[str, int], tuple[IPNetwork, ...]]:
    found = PIN.fullmatch(text)
    if not (found and 0 < int(found["port"]) < 65_536):
        raise ValueError(f"{text}: must be host:port=network or host:port=network,network")
    networks = tuple(ip_network(network.strip()) for network in found["networks"].split(","))
    return (found["host"].strip("[]").lower(), int(found["port"])), networks


def load() -> Settings:
    """Read the settings of this process. Raises `SettingsError` in words that name the setting."""
    try:
        return Settings(**_from_file())
    except ValidationError as wrong:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in wrong.errors(include_input=False)]
        raise SettingsError("; ".join(lines)) from None


def _from_file() -> dict[str, Any]:
    named = os.environ.get("AUTHSERVER_CONFIG")
    path = Path(named) if named else Path(os.environ.get("AUTHSERVER_HOME", "var")) / "authserver.toml"
    if not named and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as wrong:
        raise SettingsError(f"{path}: {wrong}") from None
