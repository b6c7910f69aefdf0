"""How long the audit trail is kept, and where it is sent."""

from typing import Annotated

from pydantic import Field

from .group import Group


class Audit(Group):
    """Retention and streams of the audit trail (docs/audit.md)."""

    audit_retention_days: Annotated[int, Field(ge=0)] = 0
    """Days after which whole batches of the audit trail are deleted; their seals stay. 0 keeps everything for ever."""
