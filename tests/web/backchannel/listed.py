"""What the tests of status lists share: lists that look at the state at each request, and what a token says."""

from typing import Any

import jwt
import pytest

from authserver.services import status_lists


@pytest.fixture
def look_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each request look at the state, as the first one of each half second does."""
    monkeypatch.setattr(status_lists, "LOOK_SECONDS", 0)


def claims(token: str) -> dict[str, Any]:
    """What *token* says, by whomever it is signed."""
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found
