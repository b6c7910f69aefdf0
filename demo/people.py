"""The demo's administrator and its user: made at the first start, their passwords kept in ``demo.json``."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from authserver.protocol.audit import Event
from authserver.protocol.role import Role
from authserver.services.deployment import Deployment

FILE_NAME = "demo.json"


@dataclass(frozen=True, slots=True)
class Account:
    """A person who can sign in."""

    username: str
    password: str

    @classmethod
    def new(cls, username: str) -> "Account":
        """One with a random password."""
        return cls(username, secrets.token_urlsafe(12))


@dataclass(frozen=True, slots=True)
class Accounts:
    """Both people of the demo; ``are_new`` until their passwords have been shown."""

    admin: Account
    user: Account
    are_new: bool

    @classmethod
    def kept(cls, home: Path) -> "Accounts":
        """Those of the last start in *home*, else new ones."""
        try:
            found = json.loads((home / FILE_NAME).read_text("utf-8"))
            return cls(Account(**found["admin"]), Account(**found["user"]), are_new=False)
        except FileNotFoundError:
            return cls(Account.new("admin"), Account.new("user"), are_new=True)

    def keep(self, home: Path, issuer: str, resource: str) -> None:
        """Write them to *home*, readable by its owner alone, with what a script needs to try the demo."""
        found = {"issuer": issuer, "resource": resource, "admin": asdict(self.admin), "user": asdict(self.user)}
        path = home / FILE_NAME
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(found, file, indent=2)

    def enrol(self, found: Deployment) -> None:
        """Make sure that both can sign in at *found* with these passwords."""
        _enrol(found, self.admin, Role.OWNER, "Demo administrator")
        _enrol(found, self.user, Role.MEMBER, "Demo user")


def _enrol(found: Deployment, account: Account, role: Role, name: str) -> None:
    passwords, users = found.sign_in.passwords, found.stores.users
    known = users.by_name(account.username)
    if known is None:
        event = Event("user.added", "system", detail={"username": account.username, "role": role})
        users.add(account.username, name, passwords.hash(account.password), role, event)
    elif not passwords.verify(account.password, known.password_hash):
        event = Event("user.password_set", "system", user_id=known.id)
        users.rehash(known.id, known.password_hash, passwords.hash(account.password), event)
