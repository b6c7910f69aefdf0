"""What is known of a request by then that is left to the views by `oauth.at_once`, so that nothing is done twice."""

import time
from dataclasses import dataclass
from typing import Any

from flask import Flask, request

from ..store.sessions import Session
from ..store.standing import LATELY_SECONDS
from .local import itself

KEY = "authserver.left"


@dataclass(slots=True)
class Left:
    """``secret``: that whose session was looked for, at the moment ``when``, with what was found.

    ``counted``: the request is, by its person's ceiling. ``wrong`` is what made it fail, and would again.
    """

    secret: str | None = None
    session: Session | None = None
    when: float = 0.0
    counted: bool = False
    wrong: Exception | None = None

    def found(self, secret: str, session: Session | None) -> None:
        """That *secret* has that *session*, or none."""
        self.secret, self.session, self.when = secret, session, time.monotonic()

    def has_looked_for(self, secret: str) -> bool:
        """Whether it was *secret* whose session was looked for, a moment ago; says so once."""
        lately = self.secret == secret and time.monotonic() - self.when < LATELY_SECONDS
        self.secret = None
        return lately


def of(environ: dict[str, Any]) -> Left:
    """What is known of the request with *environ*."""
    found: Left = environ.get(KEY) or Left()
    return found


def install(app: Flask) -> None:
    """Have what made a request fail be answered as if a view had met it; to be called behind `seen.install`."""
    app.before_request(_raise)


def _raise() -> None:
    wrong = of(itself(request).environ).wrong
    if wrong is not None:
        raise wrong
