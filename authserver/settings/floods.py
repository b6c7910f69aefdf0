"""How much of the server one caller may have, when there are too many calls."""

from importlib.util import find_spec
from typing import Annotated

from pydantic import Field, field_validator

from .group import Group
from .rate import Ceiling

REDIS_SCHEMES = ("redis://", "rediss://", "unix://")


class Floods(Group):
    """Floods."""

    refreshes_per_grant: Ceiling = "600 per minute"
    """Ceiling of the refreshes of one family of tokens: of what one sign-in of one client gave. Refused ones do not
    count. Here and below each worker process counts for itself where there is no ``redis_url``; ``0`` means no
    ceiling."""

    own_tokens_per_client: Ceiling = "6000 per minute"
    """Ceiling of the tokens that one client gets for itself (client credentials)."""

    calls_per_client: Ceiling = "60000 per minute"
    """Ceiling of what one client that has proven itself asks of introspection, and as much of revocation and of each of
    the endpoints for guards."""

    api_calls_per_client: Ceiling = "1200 per minute"
    """Ceiling of one client's calls of the API of administration."""

    failures_per_address: Ceiling = "600 per minute"
    """Ceiling of the failed calls of unknown clients, and of public ones with unknown codes and tokens, from one
    address; of IPv6, from one /64. Over it more of them are refused at once. A client that proves itself, and a code or
    token that is known here, are answered nevertheless: hosted clients share addresses."""

    pages_per_person: Ceiling = "600 per minute"
    """Ceiling of the pages, consent and console among them, that one signed-in person asks for."""

    pages_per_address: Ceiling = "3000 per minute"
    """Ceiling of the pages that whoever is not signed in asks for from one address."""

    request_seconds: Annotated[int, Field(ge=1, le=300)] = 20
    """Seconds that a request may take to arrive, head and body, from its first byte or from the connection's begin; and
    that a client may leave its answer unread."""

    redis_url: str = ""
    """Redis or Valkey through which all processes share the ceilings on addresses, clients and grants:
    ``redis://host:6379/0``, ``rediss://…`` by TLS. Needs the extra ``redis``. Empty, or when it cannot be reached: each
    process counts for itself."""

    @field_validator("redis_url")
    @classmethod
    def _redis_is_a_url_of_redis(cls, url: str) -> str:
        if url and not url.startswith(REDIS_SCHEMES):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        if url and find_spec("redis") is None:
            raise ValueError("needs the extra 'redis': pip install 'mcp-authserver[redis]'")
        return url
