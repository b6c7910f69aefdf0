"""The status lists: prepared bytes that guards ask for every other second (TK-10)."""

from ...services.status_lists import SignedList, StatusLists
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
        """A signed list (draft-ietf-oauth-status-list-21 §8.1)."""
        signed = self._lists.find(request.path.removeprefix(PREFIX))
        if signed is None:
            return response.document({"error": "not_found", "error_description": "there is no such list"}, 404)
        return _answer(signed, request)

    def all(self, request: Request) -> Response:
        """The URIs of the status lists (§9.3)."""
        return response.document({"status_lists": self._lists.all()})


def _answer(signed: SignedList, request: Request) -> Response:
    caching = [("ETag", signed.etag), ("Cache-Control", f"public, max-age={AGE}"), *response.PUBLIC]
    if response.has(request, signed.etag):
        return response.briefly(Response(304, caching))
    return response.briefly(Response(200, [("Content-Type", f"application/{signed.typ}"), *caching], signed.body))
