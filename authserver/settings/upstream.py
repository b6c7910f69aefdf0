"""Identity providers that people may sign in with (docs/sign-in.md)."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from ..protocol.role import Role
from .group import Group

GITHUB = "https://github.com"
DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+")
Required = str | bool | int | tuple[str, ...]


class Upstream(BaseModel):
    """One identity provider, a ``[[upstream]]`` table of the settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    """What this server calls it, in the redirect URI that is registered there: ``/sign-in/from/<id>``."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    """What people call it: it stands on the button."""

    kind: Literal["oidc", "github"] = "oidc"
    """``oidc``, or ``github`` for GitHub, which speaks OAuth 2 alone."""

    issuer: str = ""
    """Its issuer, byte for byte. A host in a private network has to be among ``fetch_entered_networks``."""

    client_id: Annotated[str, Field(min_length=1)]
    """What it knows this server by."""

    client_secret: SecretStr = SecretStr("")
    """The secret that goes with it."""

    client_secret_file: str = ""
    """File that holds the secret instead."""

    scopes: list[str] = []
    """Scopes to ask for beside ``openid email profile``; for GitHub beside ``read:user user:email``."""

    domains: list[str] = []
    """E-mail domains whose people are sent there when they give their address."""

    trusted_domains: list[str] = []
    """E-mail domains for which its word counts: a verified address opens the account that has it."""

    assume_verified: bool = False
    """Its addresses count although it does not say whether they are verified (Entra ID says nothing)."""

    create_accounts: bool = False
    """Whoever signs in there for the first time gets an account here."""

    claims: dict[str, Required] = {}
    """Claims that must be there with this value, or with one of these, or nobody is let in."""

    two_factors: bool = False
    """It asks everybody for two factors: nobody who comes from there owes one here."""

    groups_claim: str = "groups"
    """The claim that names a person's groups."""

    roles: dict[str, Role] = {}
    """Roles by group. If there are any, each sign-in gives the highest of the person's groups, or ``member``."""

    @field_validator("domains", "trusted_domains")
    @classmethod
    def _domains_are_domains(cls, domains: list[str]) -> list[str]:
        for domain in domains:
            if not DOMAIN.fullmatch(domain):
                raise ValueError(f"{domain}: must be a domain with a dot, in lower case")
        return domains

    @model_validator(mode="after")
    def _it_can_be_asked(self) -> Self:
        if self.kind == "oidc" and not self.issuer:
            raise ValueError("an OpenID provider needs its issuer")
        if self.issuer and not self.issuer.startswith("https://"):
            raise ValueError("issuer must begin with https://")
        if self.client_secret.get_secret_value() and self.client_secret_file:
            raise ValueError("client_secret and client_secret_file exclude each other")
        if self.kind == "github" and (not self.has_secret or self.issuer.endswith("/")):
            raise ValueError("GitHub needs a client_secret, and an issuer without a slash at the end")
        return self

    @field_validator("client_secret_file")
    @classmethod
    def _secret_can_be_read(cls, file: str) -> str:
        try:
            if file:
                Path(file).read_text("utf-8")
        except OSError as wrong:
            raise ValueError(f"{file}: cannot be read ({wrong.strerror})") from None
        return file

    @property
    def has_secret(self) -> bool:
        """Whether this server proves itself there."""
        return bool(self.client_secret.get_secret_value() or self.client_secret_file)

    @property
    def home(self) -> str:
        """Its issuer; that of GitHub itself where none is given."""
        return self.issuer or GITHUB

    @property
    def secret(self) -> str:
        """The client's secret, from wherever it is; empty for a client without. Raises `OSError`."""
        if self.client_secret_file:
            return Path(self.client_secret_file).read_text("utf-8").strip()
        return self.client_secret.get_secret_value()

    def role(self, groups: Collection[str]) -> Role | None:
        """The highest role of *groups*, `Role.MEMBER` if they give none; None if roles are not given there."""
        given = {self.roles[group] for group in groups if group in self.roles}
        return next((role for role in Role if role in given), Role.MEMBER) if self.roles else None

    def __str__(self) -> str:
        """For the console: no secret, and no path."""
        return f"{self.id} ({self.home})"


class SignInElsewhere(Group):
    """Identity providers."""

    upstream: list[Upstream] = []
    """Identity providers that people may sign in with, a table ``[[upstream]]`` for each: see docs/sign-in.md."""

    @field_validator("upstream")
    @classmethod
    def _each_is_another(cls, upstreams: list[Upstream]) -> list[Upstream]:
        for what in ("id", "home"):
            if len({getattr(each, what) for each in upstreams}) != len(upstreams):
                raise ValueError(f"two identity providers have the same {what.replace('home', 'issuer')}")
        domains = [domain for each in upstreams for domain in each.domains]
        if len(set(domains)) != len(domains):
            raise ValueError("a domain leads to two identity providers")
        return upstreams
