"""What Flask's proxies stand for: a look through one costs as much as several at the object itself."""

from typing import TypeVar

T = TypeVar("T")


def itself(proxy: T) -> T:
    """The object that *proxy* (``g``, ``request``, ``current_app``, ``session``) stands for in the running request."""
    found: T = proxy._get_current_object()  # type: ignore[attr-defined]
    return found
