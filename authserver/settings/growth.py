"""How long what is over is kept."""

from typing import Annotated

from pydantic import Field

from .group import DAY, Group


class Growth(Group):
    """What keeps tables from growing for ever."""

    expired_kept_for: Annotated[int, Field(ge=60, le=30 * DAY)] = DAY
    """Seconds for which codes, tokens, sessions and the like are kept after they expired, to know them when they are
    presented again; never less than ``access_token_lifetime``."""
