"""For Starlette and FastAPI: a dependency that gives a route its caller, where the application is otherwise open."""

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from .. import admission
from ..asgi import SCOPE_KEY
from ..caller import Caller
from ..guard import Guard
from ..refusals import GuardError
from ..scopes import ScopeNames, names


class CallerRequired:
    """``caller: Annotated[Caller, Depends(CallerRequired(guard, "notes:write"))]``, or awaited with a request.

    The base set and *scopes* are needed. Calls in a body are not looked at: an MCP endpoint needs ``guard.asgi``.
    Raises Starlette's `HTTPException` with the guard's status, challenge and words.
    """

    def __init__(self, guard: Guard, *scopes: ScopeNames) -> None:
        self._guard = guard
        self._scopes = tuple(name for given in scopes for name in names(given))

    async def __call__(self, request: HTTPConnection) -> Caller:
        """The caller of *request*."""
        scope = request.scope
        head = admission.Request(scope["method"], scope["path"], scope["headers"], scope.get("query_string", b""))
        try:
            caller = await admission.authorize(self._guard, head, *self._scopes)
        except GuardError as refusal:
            reply = self._guard.challenges.reply(refusal)
            headers = {name.decode("ascii"): value.decode("ascii") for name, value in reply.headers}
            headers.pop("content-type")
            raise HTTPException(reply.status, refusal.message, headers) from None
        scope[SCOPE_KEY] = caller
        return caller
