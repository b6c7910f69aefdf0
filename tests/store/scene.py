"""A person, a client and an MCP server to try the stores with, and a clock that can be turned."""

from dataclasses import dataclass, field, replace

from sqlalchemy import select, update

from authserver.keys.envelope import SuccessorEnvelope
from authserver.protocol import credential
from authserver.protocol.audit import Event, Origin
from authserver.protocol.authorization_code import NewCode
from authserver.protocol.client import AuthMethod, Client, ClientKind, GrantType
from authserver.protocol.form import Form
from authserver.protocol.grants import Outcome, TokenRequest
from authserver.protocol.grants.authorization_code import AuthorizationCodeGrant
from authserver.protocol.grants.refresh_token import RefreshTokenGrant
from authserver.protocol.pkce import challenge_of
from authserver.protocol.resource import Resource
from authserver.protocol.role import Role
from authserver.protocol.scope import Risk, Scope
from authserver.protocol.tool import Tool
from authserver.store.database import Database
from authserver.store.grants import Approval
from authserver.store.models import RefreshTokenRow, Row
from authserver.store.stores import Stores

RESOURCE = "https://notes.example/mcp"
REDIRECT_URI = "https://client.example/callback"
HOST = "client.example"
VERIFIER = "v" * 43
# Seconds, of which a test on a busy machine may lose a minute.
LIFETIME, FAMILY_LIFETIME, WINDOW = 10_000, 50_000, 300
MOMENTS = ("_at", "_from", "_until")
EVENT = Event("test.done", "system", Origin("192.0.2.7", "c0ffee"))

NOTES = Resource(
    identifier=RESOURCE,
    name="Notes",
    scopes=(
        Scope("notes:read", "Read your notes", is_default=True),
        Scope("notes:write", "Change your notes", Risk.WRITE, implies=("notes:read",)),
        Scope("notes:delete", "Delete your notes", Risk.DESTRUCTIVE),
    ),
    tools=(Tool("read_note", "Read a note", ("notes:read",), "Reads."), Tool("write_note", "Write", ("notes:write",))),
    aliases=("https://notes.example",),
)


def a_client(**changes: object) -> Client:
    client = Client(
        client_id=credential.identifier(),
        kind=ClientKind.DYNAMIC,
        name="Editor",
        redirect_uris=(REDIRECT_URI,),
        auth_method=AuthMethod.NONE,
        grant_types=(GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN),
        created_at=1_700_000_000,
    )
    return replace(client, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Scene:
    stores: Stores
    user_id: str
    client: Client
    device: bytes = field(default_factory=lambda: credential.digest("this device"))

    @classmethod
    def set_in(cls, stores: Stores) -> "Scene":
        client = a_client()
        stores.clients.register(client, EVENT)
        user = stores.users.add("Alice", "Alice A.", "$argon2id$", Role.MEMBER, EVENT)
        return cls(stores, user.id, client)

    def approval(self, *approved: str, **changes: object) -> Approval:
        approval = Approval(
            self.user_id,
            self.client.client_id,
            self.device,
            HOST,
            RESOURCE,
            approved,
            client_name=self.client.name,
            client_identity=self.client.identity,
        )
        return replace(approval, **changes)  # type: ignore[arg-type]

    def new_code(self, secret: str, **changes: object) -> NewCode:
        code = NewCode(
            digest=credential.digest(secret),
            client_id=self.client.client_id,
            redirect_uri=REDIRECT_URI,
            challenge=challenge_of(VERIFIER),
            resource=RESOURCE,
            scopes=("notes:read",),
            auth_time=1_700_000_000,
            wants_refresh=True,
            lifetime=60,
        )
        return replace(code, **changes)  # type: ignore[arg-type]

    def approve(self, **changes: object) -> str:
        """Allow reading and writing; returns the code."""
        secret = credential.mint(credential.Prefix.CODE)
        code = self.new_code(secret, **{"scopes": ("notes:read", "notes:write"), **changes})
        self.stores.grants.approve(self.approval("notes:read", "notes:write"), code, EVENT)
        return secret

    def redeem(self, code: str, *, resource: str | None = None, **changes: str | None) -> Outcome:
        form = {"code": code, "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER, **changes}
        grant = AuthorizationCodeGrant(self.stores.codes, self.stores.refresh_tokens, LIFETIME, FAMILY_LIFETIME)
        return grant.act(self._request(form, resource))

    def refresh(self, token: str, *, window: int = WINDOW, resource: str | None = None) -> Outcome:
        grant = RefreshTokenGrant(self.stores.refresh_tokens, SuccessorEnvelope(), LIFETIME, window)
        return grant.act(self._request({"refresh_token": token}, resource))

    def first_token(self) -> str:
        """A refresh token of a new family."""
        return refresh_token(self.redeem(self.approve()))

    def _request(self, form: dict[str, str | None], resource: str | None = None) -> TokenRequest:
        given = {name: value for name, value in form.items() if value is not None}
        event = Event("token.requested", f"client:{self.client.client_id}", EVENT.origin)
        return TokenRequest(self.client, Form(given), resource, (), event)


def refresh_token(outcome: Outcome) -> str:
    assert outcome.refresh_token is not None
    return outcome.refresh_token


def let_pass(database: Database, seconds: int) -> None:
    """Make everything in the database *seconds* older: what a test would otherwise have to wait for."""
    with database.transaction() as connection:
        for table in Row.metadata.sorted_tables:
            moments = [column for column in table.columns if column.name.endswith(MOMENTS)]
            if moments:
                connection.execute(update(table).values({column: column - seconds for column in moments}))


def heads(database: Database) -> list[bytes]:
    """The digests of all refresh tokens that no other follows, one for each family that is in order."""
    with database.reading() as connection:
        rows = connection.execute(select(RefreshTokenRow.digest, RefreshTokenRow.successor_digest)).all()
    followed = {row.digest for row in rows if row.successor_digest}
    assert {row.successor_digest for row in rows} - {None} <= {row.digest for row in rows}
    assert len({row.successor_digest for row in rows if row.successor_digest}) == len(followed)
    return [row.digest for row in rows if row.digest not in followed]
