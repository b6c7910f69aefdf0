"""How long the forms that people send may be: short, but for a view that says why it takes more.

The bound is set before anything reads a form, so before the CSRF check too: strangers can send this much.
"""

from collections.abc import Callable

from flask import Flask, current_app, request
from flask.typing import ResponseReturnValue

from .local import itself

MOST_BODY = 65_536  # bytes

View = Callable[[], ResponseReturnValue]


def install(app: Flask) -> None:
    """Bound every form; to be called before what reads forms is installed."""
    app.config.update(MAX_CONTENT_LENGTH=MOST_BODY, MAX_FORM_MEMORY_SIZE=MOST_BODY)
    app.before_request(_bound)


def up_to(most: int) -> Callable[[View], View]:
    """Mark a view as taking forms of *most* bytes."""

    def mark(view: View) -> View:
        view.most_body = most  # type: ignore[attr-defined]
        return view

    return mark


def _bound() -> None:
    asked = itself(request)
    most = getattr(current_app.view_functions.get(asked.endpoint or ""), "most_body", None)
    if most is not None:
        asked.max_content_length = asked.max_form_memory_size = most
