"""The file's own form: what may stand in it, and the values of the protocol that it becomes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ...protocol.client import AuthMethod
from ...protocol.flaw import Flaw
from ...protocol.registration.prepared import Prepared, usual_grants, usual_method
from ...protocol.resource import Resource, SigningAlgorithm, TokenFormat
from ...protocol.role import MOST_GROUP_NAME, Role, is_group_name
from ...protocol.scope import Risk, Scope
from ...protocol.tool import Tool, Word
from ...protocol.way import ANY_WAY, Way
from .document import Document

LEAST_SECRET = 32


class Entry(BaseModel):
    """Anything in the file: nothing unknown, so that a mistyped name is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ScopeEntry(Entry):
    """A scope of an MCP server."""

    name: str
    description: str
    risk: Risk = Risk.READ
    default: bool = False
    implies: tuple[str, ...] = ()


class ToolEntry(Entry):
    """A tool of an MCP server, opened by all of ``scopes``; what it says stands over what the server says.

    But where ``word`` is the server's, and they are that here too, its words stay the server's, so that an export can
    be applied again.

    Without ``limits`` those that are known stay, so that a file never lifts what it is silent about; null lifts them.
    """

    name: str
    scopes: tuple[str, ...]
    title: str = ""
    description: str = ""
    risk: Risk | None = None
    limits: dict[str, Any] | None = None
    additional: bool = False
    word: Word = Word.ADMINISTRATOR

    @field_validator("limits")
    @classmethod
    def readable(cls, limits: dict[str, Any] | None) -> dict[str, Any] | None:
        """Limits are rules by argument (docs/limits.md)."""
        if limits is not None:
            Way.limited(limits)
        return limits

    @model_validator(mode="after")
    def about_limits(self) -> Self:
        """``additional`` is a part of limits."""
        if self.additional and self.limits is None:
            raise ValueError("additional is about arguments that limits have no rule for, so limits has to be there")
        return self

    def tool(self, known: Tool | None) -> Tool:
        """The value of the protocol, with what was heard of it as it is *known*. What waits goes on waiting."""
        return replace(
            known or Tool(self.name, self.name, ()),
            title=self.title or self.name,
            description=self.description,
            scopes=self.scopes,
            risk=self.risk,
            policy=self._policy(known),
            word=self.word if known is not None and known.word is Word.SERVER else Word.ADMINISTRATOR,
        )

    def _policy(self, known: Tool | None) -> Way:
        if known is not None and "limits" not in self.model_fields_set:
            return known.policy
        return ANY_WAY if self.limits is None else Way.limited(self.limits, additional=self.additional)


class ResourceEntry(Entry):
    """An MCP server; the same as ``authserver resource add``. Without ``tools`` those that are known stay."""

    url: str
    name: str
    scopes: tuple[ScopeEntry, ...]
    tools: tuple[ToolEntry, ...] | None = None
    aliases: tuple[str, ...] = ()
    default: bool = False
    token_format: TokenFormat = TokenFormat.JWT
    signing_algorithm: SigningAlgorithm | None = None

    def resource(self, known: tuple[Tool, ...]) -> Resource:
        """The value of the protocol; *known* are the tools of the same server now. Aliases are as they were written."""
        by_name = {tool.name: tool for tool in known}
        return Resource(
            identifier=self.url,
            name=self.name,
            scopes=tuple(Scope(s.name, s.description, s.risk, s.default, s.implies) for s in self.scopes),
            tools=known if self.tools is None else tuple(entry.tool(by_name.get(entry.name)) for entry in self.tools),
            aliases=self.aliases,
            is_default=self.default,
            token_format=self.token_format,
            signing_algorithm=self.signing_algorithm,
        )


class ServerEntry(ResourceEntry):
    """An MCP server of a file. Without ``suspended`` it stays as it is, one that is new can be used."""

    suspended: bool | None = None


class ClientForm(Entry):
    """A client; the same as ``authserver client add``."""

    id: str
    name: str
    redirect_uris: tuple[str, ...] = ()
    auth_method: AuthMethod | None = None
    grants: tuple[str, ...] = ()
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    allow: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    def prepared(self) -> Prepared:
        """The value of the protocol."""
        grants = self.grants or usual_grants(self.redirect_uris)
        has_keys = self.jwks is not None or self.jwks_uri is not None
        return Prepared(
            client_id=self.id,
            name=self.name,
            redirect_uris=self.redirect_uris,
            auth_method=self.auth_method or usual_method(grants, has_keys=has_keys),
            grant_types=grants,
            jwks=self.jwks,
            jwks_uri=self.jwks_uri,
            ceilings=self.allow,
        )


class ClientEntry(ClientForm):
    """A client of a file. ``secret_env`` names the variable that has its secret."""

    secret_env: str | None = None

    def secret(self, environment: Mapping[str, str]) -> str | None:
        """Its secret from *environment*; None if it is not there, or not to come from there."""
        return environment.get(self.secret_env) if self.secret_env is not None else None

    def secret_flaw(self, environment: Mapping[str, str]) -> Flaw | None:
        """What is wrong with where its secret comes from."""
        if self.secret_env is None:
            return None
        found = self.secret(environment)
        if not self.prepared().has_secret:
            return Flaw(("secret_env",), "of no use to a client that proves itself without a secret")
        if found is None:
            return Flaw(("secret_env",), "there is no such variable in the environment")
        if len(found) < LEAST_SECRET or not found.isascii() or not found.isprintable() or " " in found:
            return Flaw(("secret_env",), f"the variable must hold {LEAST_SECRET} or more visible ASCII characters")
        return None


class PersonEntry(Entry):
    """The role and the groups of a person who is there; what is left out stays as it is."""

    username: str
    role: Role | None = None
    groups: tuple[str, ...] | None = None

    @field_validator("groups")
    @classmethod
    def named(cls, groups: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """Groups are names."""
        if not all(map(is_group_name, groups or ())):
            raise ValueError(f"a group's name has 1 to {MOST_GROUP_NAME} printable characters")
        return groups


class Declared(Entry):
    """All that the file says; ``rules`` as `protocol.policy.reading` takes them, None to leave those that count."""

    resources: tuple[ServerEntry, ...] = ()
    clients: tuple[ClientEntry, ...] = ()
    people: tuple[PersonEntry, ...] = ()
    rules: list[dict[str, Any]] | None = None


def declared(document: Document) -> Declared:
    """What *document* says. Raises `Unreadable` with every entry that has not the right form."""
    try:
        return Declared.model_validate(document.content)
    except ValidationError as wrong:
        found = [Flaw(error["loc"], error["msg"]) for error in wrong.errors(include_input=False, include_url=False)]
        raise document.refuse(*found) from None
