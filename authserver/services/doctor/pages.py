"""The pages that people see: no redirect for a stranger, no frame, no foreign script, safe cookies (AZ-2, AZ-10)."""

from ...outbound.probe import Answer
from .outcome import Outcome, fail, ok, shown, warn
from .visit import IssuerVisit

HEADERS = "Let the server's own headers through the proxy."


def stranger_stays(visit: IssuerVisit) -> Outcome | None:
    """An unknown client gets a page, and nobody is sent anywhere (OAuth 2.1 §4.1.2.1)."""
    page = visit.unknown_client_page
    if page is None:
        return None
    if 400 <= page.status < 500 and not page.header("location") and page.media_type == "text/html":
        return ok("a client that is not known gets a page, not a redirect")
    said = f"status {page.status}, {shown(page.media_type or 'no type')}" if page.status else page.problem
    return fail(
        f"an unknown client gets no error page ({said})",
        "People are sent on, or see something that they cannot read.",
        "See whether the proxy passes the authorization endpoint, and error pages, as they are.",
    )


def no_scripts(visit: IssuerVisit) -> Outcome | None:
    """No other site's script may read a page (DI-7)."""
    page = visit.unknown_client_page
    if page is None or not page.status:
        return None
    if not page.header("access-control-allow-origin"):
        return ok("scripts of other sites cannot read the pages")
    return fail(
        "pages have CORS headers",
        "A script of another site could read what a signed-in person sees.",
        "Have the proxy add no Access-Control headers; the server sets its own where they belong.",
    )


def no_frames(visit: IssuerVisit) -> Outcome | None:
    """No other site may put a page into a frame (RFC 9700 §4.16)."""
    page = visit.unknown_client_page
    if page is None or not page.status:
        return None
    policy = page.header("content-security-policy").lower()
    framed = "frame-ancestors" not in policy and page.header("x-frame-options").upper() not in ("DENY", "SAMEORIGIN")
    if framed:
        return fail(
            "pages may be shown inside a frame (no frame-ancestors, no X-Frame-Options)",
            "A site could lay its own page over the consent page and catch the click.",
            HEADERS,
        )
    if "script-src" in policy or "default-src" in policy:
        return ok("pages cannot be framed, and run no foreign script")
    return warn("the Content-Security-Policy does not limit scripts", "A mistake in a page weighs more.", HEADERS)


def cookies(visit: IssuerVisit) -> Outcome | None:
    """Cookies are out of reach for scripts, other sites and plain http (RFC 6265bis)."""
    pages = [page for page in (visit.unknown_client_page, _sign_in(visit)) if page is not None]
    found = [cookie for page in pages for cookie in page.all("set-cookie")]
    for cookie in found:
        attributes = {part.strip().partition("=")[0].lower() for part in cookie.split(";")[1:]}
        wanted = {"httponly", "samesite"} | ({"secure"} if visit.secure else set())
        if lacking := wanted - attributes:
            return fail(
                f"the cookie {shown(cookie.partition('=')[0])} lacks {', '.join(sorted(lacking))}",
                "A script, another site or a listener could get hold of it.",
                "Let Set-Cookie through the proxy as it is; the issuer must be the https URL that people use.",
            )
    return ok("cookies are HttpOnly, SameSite" + (" and Secure" if visit.secure else "")) if found else None


def _sign_in(visit: IssuerVisit) -> Answer | None:
    page = visit.sign_in_page
    return page if page.status == 200 and page.media_type == "text/html" else None
