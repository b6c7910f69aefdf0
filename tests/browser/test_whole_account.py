"""An account in Chromium: an authenticator app, codes for the worst case, and two apps, one of them ended."""

import hashlib
import re
import time

import httpx2
import pyotp
import pytest
from playwright.sync_api import Page, expect

from authserver.protocol import credential
from authserver.protocol.client import Client
from authserver.protocol.role import Role
from tests.conformance.site import PASSWORD

from .landing import Landing
from .person import allow, sign_in, untick
from .scene import EVENT, Scene

VERIFIER = "a-verifier-of-an-app-that-asks-here-and-nowhere-else"
CHALLENGE = credential.base64url(hashlib.sha256(VERIFIER.encode()).digest())
PERIOD = 30  # seconds of a code


@pytest.fixture
def name(running: Scene) -> str:
    """The user name of somebody new."""
    deployment, made = running.site.deployment, f"mo-{credential.identifier()[:8].lower()}"
    deployment.stores.users.add(made, "Mo", deployment.sign_in.passwords.hash(PASSWORD), Role.MEMBER, EVENT)
    return made


def show(page: Page, code: str) -> None:
    """Give the second step *code*."""
    expect(page.get_by_role("heading")).to_have_text("One more step")
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Go on").click()


def test_an_authenticator_app_is_the_second_step_and_a_recovery_code_stands_in_for_it_once(
    running: Scene, page: Page, name: str
) -> None:
    own = f"{running.issuer}/account/security/factors"
    page.goto(own)
    sign_in(page, name)
    page.get_by_role("button", name="Add an authenticator app").click()
    page.get_by_role("button", name="Go on").click()
    app = pyotp.TOTP(re.sub(r"\s", "", page.locator("code.secret").inner_text()))
    page.get_by_label("The six digits").fill(app.now())
    page.get_by_role("button", name="Add it").click()
    page.goto(f"{own}/recovery-codes")
    page.get_by_role("button", name="Make ten codes").click()
    (recovery, *others) = page.locator("ol.codes code").all_inner_texts()
    assert len(others) == 9
    for code in (app.at(int(time.time()) + PERIOD), recovery):  # the next one: that of now was used up
        page.context.clear_cookies()
        page.goto(own)
        sign_in(page, name)
        show(page, code)
        expect(page.get_by_role("heading", level=1)).to_have_text("Your second factors")
    page.context.clear_cookies()
    page.goto(own)
    sign_in(page, name)
    show(page, recovery)
    expect(page.get_by_role("alert")).to_be_visible()


def tokens(running: Scene, client: Client, **form: str) -> httpx2.Response:
    return httpx2.post(f"{running.issuer}/token", data={"client_id": client.client_id, **form})


def refresh(running: Scene, client: Client, token: str) -> httpx2.Response:
    return tokens(running, client, grant_type="refresh_token", refresh_token=token)


def connected(running: Scene, page: Page, app: Landing, client: Client) -> str:
    """Let *client* read and write notes; its refresh token."""
    page.goto(running.asks(client, "notes:read notes:write", code_challenge=CHALLENGE))
    allow(page)
    expect(page.get_by_role("heading")).to_have_text("Back in the app")
    redeemed = {"code": app.answers[-1]["code"], "redirect_uri": app.uri, "code_verifier": VERIFIER}
    answer = tokens(running, client, grant_type="authorization_code", **redeemed)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["refresh_token"])


@pytest.mark.requirement("AZ-14")
def test_of_two_apps_one_loses_a_scope_and_goes_on_and_the_other_is_ended(
    running: Scene, page: Page, app: Landing, name: str
) -> None:
    page.goto(f"{running.issuer}/account/connections")
    sign_in(page, name)
    editor, reader = running.app("Editor", app.uri), running.app("Reader", app.uri)
    of_editor, of_reader = (connected(running, page, app, client) for client in (editor, reader))
    page.goto(f"{running.issuer}/account/connections")
    page.get_by_role("button", name="Change what Editor may do").click()
    untick(page, "Write notes")
    page.locator("main form button").last.click()
    page.goto(f"{running.issuer}/account/connections")
    page.get_by_role("button", name="End this connection: Reader").click()
    page.locator("main form button").last.click()
    page.goto(f"{running.issuer}/account/connections")
    expect(page.get_by_role("heading", name="Reader")).to_have_count(0)
    assert refresh(running, editor, of_editor).json()["scope"] == "notes:read"
    assert refresh(running, reader, of_reader).json()["error"] == "invalid_grant"
