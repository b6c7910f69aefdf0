"""The status lists: prepared bytes that guards ask for every other second (TK-10)."""

from ...services.status_lists import Served, StatusLists
from . import response
from .request import Request
from .response import Response

PREFIX = "/status/"
LISTS = "/status"
AGE = 1  # seconds that a cache in front may keep a list: what it saves is many guards asking in the same second


class Status:
    """Answers for the lists of a deployment."""

    def __init__(self, lists: StatusLists) -> None:
        """*lists* are what is served."""
        self._lists = lists

    def one(self, request: Request) -> Response:
        """A signed list (draft-ietf-oauth-status-list-21 §8.1), or the summary of a resource's lists."""
        served = self._lists.find(request.path.removeprefix(PREFIX))
        if served is None:
            return response.document({"error": "not_found", "error_description": "there is no such list"}, 404)
        return _answer(served, request)

    def all(self, request: Request) -> Response:
        """The URIs of the status lists (§9.3)."""
        return response.document({"status_lists": self._lists.all()})


def unchanged(served: Served) -> Response:
    """The answer to who has *served* already."""
    return response.briefly(Response(304, _caching(served)))


def _answer(served: Served, request: Request) -> Response:
    if response.has(request, served.etag):
        return unchanged(served)
    return response.briefly(Response(200, [("Content-Type", served.media_type), *_caching(served)], served.body))


def _caching(served: Served) -> response.Headers:
    return [("ETag", served.etag), ("Cache-Control", f"public, max-age={AGE}"), *response.PUBLIC]
