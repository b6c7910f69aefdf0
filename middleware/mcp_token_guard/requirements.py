"""``@requires("notes:write")``: what a tool's function or a view asks of its caller, said where it is written."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from .caller import current_caller
from .refusals import ScopeInsufficient, TokenMissing
from .scopes import ScopeNames, names

P = ParamSpec("P")
R = TypeVar("R")


def requires(*scopes: ScopeNames) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: the function runs only for a caller who holds all of *scopes*; plain or ``async``.

    Calling it raises `ScopeInsufficient`, or `TokenMissing` outside a guarded request. Raised in a view, before there
    is an answer, that becomes the guard's own 403 with its challenge; raised in a tool of an MCP server, where the
    answer has begun, the tool's error. A client asks its user for more only after a challenge: give a tool a rule in
    `Guard` too. Raises `ValueError` for a name that is no scope.
    """
    needed = named(scopes)
    return before(lambda: check(needed))


def named(scopes: tuple[ScopeNames, ...]) -> tuple[str, ...]:
    """The names in *scopes*. Raises `ValueError` for what is none, and for no name at all."""
    needed = tuple(dict.fromkeys(name for given in scopes for name in names(given)))
    if not needed:
        raise ValueError("name the scopes that are required")
    return needed


def before(condition: Callable[[], None]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator for functions, plain or ``async``, that run only after *condition* raised nothing."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def guarded_coroutine(*args: P.args, **kwargs: P.kwargs) -> object:
                condition()
                return await function(*args, **kwargs)

            return cast("Callable[P, R]", guarded_coroutine)

        @wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            condition()
            return function(*args, **kwargs)

        return guarded

    return decorate


def check(needed: tuple[str, ...]) -> None:
    """Raises `ScopeInsufficient` unless the current caller holds all of *needed*; `TokenMissing` without a caller."""
    try:
        caller = current_caller()
    except LookupError:
        raise TokenMissing("an access token is required") from None
    if not caller.may(*needed):
        raise ScopeInsufficient(f"this needs the scope {' '.join(needed)}", needed)
