"""Where a person goes on after signing in: a page of this server and nothing else (AZ-10)."""

from urllib.parse import quote

from flask import request, url_for

MOST_CHARACTERS = 8192
# All that a query may hold as it is, so that a long authorization request stays a short line.
READABLE = "/?:@!$'()*,;="


def wanted() -> str | None:
    """The ``next`` that this request names, if it is safe to go there."""
    named = request.form.get("next") or request.args.get("next") or ""
    return named if is_own_page(named) else None


def is_own_page(path: str) -> bool:
    """Whether *path* is an absolute path on this server; never another host, whatever a browser makes of it."""
    root = request.script_root + "/"
    return (
        len(path) <= MOST_CHARACTERS
        and path.startswith(root)
        and not path.startswith("//")
        and path.isascii()
        and path.isprintable()
        and "\\" not in path
        and " " not in path
    )


def this_page() -> str:
    """The path and query of the running request, to come back to."""
    query = request.query_string.decode("ascii", "replace")
    return request.script_root + request.path + (f"?{query}" if query else "")


def sign_in() -> str:
    """The sign-in page that leads back to the running request."""
    return to_sign_in(this_page())


def to_sign_in(page: str) -> str:
    """The sign-in page that leads to *page*."""
    return leading_to(page, "account.sign_in")


def to_sign_in_again() -> str:
    """The page where who is signed in proves once more who they are, and that leads back to the running request."""
    return leading_to(this_page(), "account.sign_in_again")


def to_factors() -> str:
    """The page where who is signed in adds a second factor, and that leads back to the running request."""
    return leading_to(this_page(), "account.factors")


def leading_to(page: str | None, endpoint: str) -> str:
    """The page of *endpoint*, which leads to *page* if there is one."""
    return url_for(endpoint) + (f"?next={quote(page, safe=READABLE)}" if page else "")
