"""The key that wraps everything secret at rest, and how often the keys that sign are rotated."""

from typing import Annotated

from pydantic import Field, SecretStr

from .group import Group


class Keys(Group):
    """Keys: the key-encryption key, and the rotation of signing keys (docs/keys.md)."""

    key_encryption_key: SecretStr = SecretStr("")
    """Encrypts all secrets at rest. 32 bytes as base64url, or where such a key is: ``file:/path`` (mode 0600),
    ``pkcs11:token=…;object=…?module-path=…&pin-source=…`` (RFC 7512), ``command:/path/of/a/program``. Empty means the
    file ``key-encryption.key`` in the home folder, which ``authserver init`` creates."""

    previous_key_encryption_keys: list[SecretStr] = []
    """Those until now, written alike, while the nodes get a new one: what they encrypted can be read until
    ``authserver keys reencrypt`` was run."""

    key_rotation_days: Annotated[int, Field(ge=0, le=3650)] = 90
    """Days that a key signs; then its standby does, on all nodes. 0: keys are rotated by hand alone."""
