"""URLs that the guard is given: where a token may travel, and where documents about them are found."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

RESOURCE = "oauth-protected-resource"
SERVER = "oauth-authorization-server"
OPENID = "openid-configuration"


def identifier(url: str, what: str) -> SplitResult:
    """The parts of *url*, an issuer (RFC 8414 §2) or a resource: as `trusted`, and without a query.

    *what* names it in the message. Raises `ValueError`.
    """
    parts = trusted(url, what)
    if "?" in url:
        raise ValueError(f"{what} must have no query: {url!r}")
    return parts


def trusted(url: str, what: str) -> SplitResult:
    """The parts of *url*, which is ``https``, or ``http`` on a loopback host.

    Raises `ValueError` for anything else: other schemes, user information, a fragment, white space, a bad port.
    """
    parts = urlsplit(url)
    plain = all("!" <= character <= "~" for character in url) and not set(url) & set('"\\#')
    if not plain or "@" in parts.netloc or not parts.hostname or parts.port == 0:
        raise ValueError(f"{what} must be a plain absolute URL: {url!r}")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError(f"{what} must be https, or http on a loopback host: {url!r}")
    return parts


def is_loopback(host: str) -> bool:
    """Whether *host* is ``localhost`` or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def well_known(parts: SplitResult, suffix: str) -> str:
    """The well-known URL for *parts*: between host and path (RFC 8414 §3.1, RFC 9728 §3.1)."""
    return f"{parts.scheme}://{parts.netloc}/.well-known/{suffix}{parts.path.removesuffix('/')}"
