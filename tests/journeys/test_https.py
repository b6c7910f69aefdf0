"""As in production: https by nginx in front, a public issuer, and an issuer with a path."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import jwt
import pytest
from playwright.sync_api import Browser
from sqlalchemy import create_engine, text

from tests.database import Databases

from .conftest import ClientOf
from .person import Person
from .ports import free_port
from .stage import Stage, stage
from .tls_proxy import make_certificates, tls_proxy, trusting

COOKIES = {"__Host-session", "__Host-device"}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the proxy and its certificates."""
    folder = tmp_path_factory.mktemp("nginx")
    make_certificates(folder)
    return folder


@pytest.fixture(scope="module")
def secure(databases: Databases, tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> Iterator[Stage]:
    """The demo's servers, the authorization server behind nginx."""
    url, port = databases.create(), free_port()
    with (
        stage(
            tmp_path_factory.mktemp("secure"),
            url,
            AUTHSERVER_ISSUER=f"https://localhost:{port}",
            AUTHSERVER_TRUSTED_PROXIES="1",
            SSL_CERT_FILE=str(certificates / "authority.pem"),
        ) as found,
        tls_proxy(certificates, port, found.as_port),
    ):
        yield found
    databases.drop(url)


@pytest.fixture
def https_person(browser: Browser, secure: Stage) -> Iterator[Person]:
    """The demo's user, at a browser that takes the proxy's certificate."""
    found = Person(browser, secure, secure.user, trusting=True)
    yield found
    found.context.close()


@pytest.mark.requirement("AZ-3", "AZ-10", "AZ-11", "DI-3", "TK-1")
@pytest.mark.parametrize("kind", ["python", "typescript"])
def test_the_dance_over_https_behind_a_proxy(
    kind: str, secure: Stage, certificates: Path, client_of: ClientOf, https_person: Person
) -> None:
    authority = str(certificates / "authority.pem")
    client = client_of(kind, url=secure.resource, SSL_CERT_FILE=authority, NODE_EXTRA_CA_CERTS=authority)
    client.do("connect", decide=https_person.allow)
    client.do("call", tool="list_notes", arguments={})
    claims = jwt.decode(client.tokens["access_token"], options={"verify_signature": False})
    assert claims["iss"] == secure.issuer
    assert secure.issuer.startswith("https://")
    kept = {cookie["name"]: cookie for cookie in https_person.context.cookies(secure.issuer)}
    assert kept.keys() >= COOKIES
    for cookie in kept.values():
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, True, "Lax", "/")


@pytest.mark.requirement("AZ-10")
def test_a_form_from_elsewhere_is_refused_over_https(secure: Stage, https_person: Person) -> None:
    https_person.page.goto(f"{secure.issuer}/sign-in")
    token = https_person.page.locator("input[name=csrf_token]").first.get_attribute("value")
    form: dict[str, str | float | bool] = {
        "csrf_token": token or "",
        "username": secure.user.username,
        "password": secure.user.password,
    }
    headers = {"Referer": "https://evil.example/"}
    answer = https_person.context.request.post(f"{secure.issuer}/sign-in", form=form, headers=headers, max_redirects=0)
    assert answer.status >= 400
    headers = {"Referer": f"{secure.issuer}/sign-in"}
    answer = https_person.context.request.post(f"{secure.issuer}/sign-in", form=form, headers=headers, max_redirects=0)
    assert answer.status == 303


@pytest.mark.requirement("AZ-10")
def test_pages_over_https_carry_their_headers(secure: Stage, certificates: Path) -> None:
    headers = httpx2.get(f"{secure.issuer}/sign-in", verify=trusting(certificates)).headers
    assert headers["Referrer-Policy"] == "same-origin"
    assert "max-age" in headers["Strict-Transport-Security"]
    assert headers["X-Frame-Options"] == "DENY"
    assert "script-src 'self';" in headers["Content-Security-Policy"] + ";"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.requirement("AZ-12")
def test_the_address_is_the_one_that_the_trusted_proxy_saw(secure: Stage, certificates: Path) -> None:
    transport = httpx2.HTTPTransport(verify=trusting(certificates), local_address="127.0.0.2")
    with httpx2.Client(transport=transport, headers={"X-Forwarded-For": "9.9.9.9, 8.8.8.8"}) as http:
        made = http.post(f"{secure.issuer}/register", json={"redirect_uris": ["http://127.0.0.1/cb"]}).json()
    engine = create_engine(secure.environment["AUTHSERVER_DATABASE_URL"])
    with engine.connect() as connection:
        query = text("SELECT address FROM audit_events WHERE client_id = :id AND name = 'client.registered'")
        assert connection.execute(query, {"id": made["client_id"]}).scalar() == "127.0.0.2"
    engine.dispose()


@pytest.mark.requirement("DI-8")
def test_the_doctor_finds_nothing_wrong_behind_the_proxy(secure: Stage, certificates: Path) -> None:
    told = secure.authserver("doctor", secure.issuer, "--ca-file", str(certificates / "authority.pem"))
    assert told.splitlines()[-1].endswith("good, 1 to look at, 0 wrong"), told
    assert "the TLS certificate ends in" in told
    assert "cookies are HttpOnly, SameSite and Secure" in told


@pytest.fixture(scope="module")
def tenant(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The demo's servers, the issuer with a path."""
    url = databases.create()
    home = tmp_path_factory.mktemp("tenant")
    with stage(home, url, AUTHSERVER_ISSUER="http://localhost:{port}/tenant1") as found:
        yield found
    databases.drop(url)


@pytest.mark.requirement("DI-2", "AZ-3", "TK-1")
@pytest.mark.parametrize("kind", ["python", "typescript"])
def test_an_issuer_with_a_path_does_the_dance(kind: str, tenant: Stage, browser: Browser, client_of: ClientOf) -> None:
    person = Person(browser, tenant, tenant.user)
    client = client_of(kind, url=tenant.resource)
    client.do("connect", decide=person.allow)
    client.do("call", tool="list_notes", arguments={})
    claims = jwt.decode(client.tokens["access_token"], options={"verify_signature": False})
    assert claims["iss"] == tenant.issuer
    assert tenant.issuer.endswith("/tenant1")
    person.context.close()
