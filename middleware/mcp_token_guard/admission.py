"""Who gets in: the decision about one request, in the same order for every kind of server.

1. what is the guard's own to answer (CORS, well-known documents); 2. the token; 3. the body, as far as it may hold
messages; 4. the headers that mirror it; 5. the scopes of all that it asks for; 6. the limits on its calls; 7. the
permission for a single call, spent when nothing else stands in the way. It reads no socket: `admit` is given the
request's head, and a function that gives the body.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import cors, messages, mirrored, only_methods, parameters
from .bearer import bearer_token
from .caller import Caller
from .enforcement import LACKS_SCOPE, enforce
from .listing import ListFilter, filter_of
from .messages import Message
from .paths import same_place
from .receipts import Receipt
from .refusals import (
    BodyTooLarge,
    GuardError,
    MediaTypeRefused,
    MethodNotAllowed,
    RequestMalformed,
    ScopeInsufficient,
)
from .replies import JSON, Headers, Reply

if TYPE_CHECKING:
    from .guard import Guard

READING = ("GET", "HEAD")
AT_ENDPOINT = ("GET", "HEAD", "POST", "DELETE")
FORM = b"application/x-www-form-urlencoded"

ReadBody = Callable[[int], Awaitable[bytes]]
"""Gives the whole body. Raises `BodyTooLarge` as soon as it has more bytes than the argument."""


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request: ``path`` is decoded once, and ``headers`` have lower-case names, as in ASGI."""

    method: str
    path: str
    headers: Headers
    query: bytes = b""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may go on: for whom, its ``body`` where it was read, what it asks for, what the answer passes."""

    caller: Caller
    body: bytes | None
    messages: tuple[Message, ...]
    receipt: Receipt | None
    listing: ListFilter | None


async def admit(guard: "Guard", request: Request, read: ReadBody) -> Admitted | Reply:
    """The request as it may go on, or the guard's answer. Whatever *read* raises besides a `GuardError` passes."""
    try:
        reply = await _own_reply(guard, request)
        return reply if reply is not None else await _admit(guard, request, read)
    except GuardError as refusal:
        return guard.challenges.reply(refusal)


async def _own_reply(guard: "Guard", request: Request) -> Reply | None:
    """The answer to what needs no token and is the guard's own, else None."""
    if request.method == "OPTIONS":
        return cors.preflight(request.headers)
    if not guard.well_known.owns(request.path):
        return None
    if request.method not in READING:
        raise MethodNotAllowed(*READING)
    return await guard.well_known.reply(request.path, request.headers)


async def authorize(guard: "Guard", request: Request, *scopes: str) -> Caller:
    """The caller of *request*, who holds the base set and *scopes*; its body is not looked at.

    Raises `GuardError`.
    """
    caller = await guard.verify(bearer_token(request.headers, request.query))
    needed = (*guard.base, *(scope for scope in scopes if scope not in guard.base))
    if not caller.may(*needed):
        raise ScopeInsufficient(LACKS_SCOPE, needed)
    return caller


async def _admit(guard: "Guard", request: Request, read: ReadBody) -> Admitted:
    caller = await guard.verifier.verify(bearer_token(request.headers, request.query))
    at_endpoint = same_place(request.path, guard.endpoint)
    body: bytes | None = None
    asked: tuple[Message, ...] = ()
    if _must_be_read(request, at_endpoint):
        _check_declared_size(request.headers, guard.max_body)
        body = await read(guard.max_body)
        asked = messages.parse(body) if at_endpoint else messages.find(body)
    receipt = guard.receipts.begin(request.headers, caller, asked, guard.delivery)
    try:
        only_methods.check(caller, request.method, asked, at_endpoint=at_endpoint)
        _check_mirrors(guard, request.headers, asked)
        caller = await enforce(guard, caller, asked)
    except GuardError as refusal:
        if receipt is not None:
            receipt.refused(refusal)
        raise
    if receipt is not None and caller.permission is not None:
        receipt.by_permission()
    return Admitted(caller, body, asked, receipt, filter_of(guard, caller, asked))


def _check_mirrors(guard: "Guard", headers: Headers, asked: tuple[Message, ...]) -> None:
    mirrored.check(headers, asked)
    for message in asked:
        if message.arguments is not None:
            wanted = guard.mirrored.get(message.name or "", {})
            parameters.check(headers, wanted, message.arguments, message.request_id)


def _must_be_read(request: Request, at_endpoint: bool) -> bool:
    """Whether the body may hold calls. At the endpoint nothing but JSON gets in; elsewhere other bodies just pass."""
    types = [value.lower() for name, value in request.headers if name == b"content-type"]
    if not at_endpoint:
        return request.method not in READING and any(b"json" in value for value in types)
    if request.method not in AT_ENDPOINT:
        raise MethodNotAllowed("GET", "POST", "DELETE")
    if request.method != "POST":
        return False
    media = [value.partition(b";")[0].strip() for value in types]
    if FORM in media:
        # RFC 6750 §2.2: a form could carry a second token.
        raise RequestMalformed("an access token goes in the Authorization header; the body is JSON")
    if media != [JSON]:
        raise MediaTypeRefused("the body of a message is application/json")
    return True


def _check_declared_size(headers: Headers, most: int) -> None:
    declared = next((value for name, value in headers if name == b"content-length"), b"0")
    if declared.isdigit() and int(declared[:20]) > most:
        raise too_large(most)


def too_large(most: int) -> BodyTooLarge:
    """The refusal of a body with more than *most* bytes."""
    return BodyTooLarge(f"a body has at most {most} bytes")
