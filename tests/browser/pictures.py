"""Makes the pictures of the pages in ``docs/images``, anew: ``python -m tests.browser.pictures``."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page

from authserver.protocol import credential
from authserver.protocol.authorization_code import NewCode
from authserver.protocol.client import Client, ClientKind
from authserver.protocol.redirect_uri import host
from authserver.store.grants import Approval
from demo.catalogue import SCOPES, TOOLS
from tests.conformance.site import NOTES, Site
from tests.journeys.ports import free_port

from .chromium import chromium
from .landing import landing
from .person import allow, sign_in
from .scene import CHALLENGE, EVENT, Scene, scene

IMAGES = Path(__file__).parents[2] / "docs" / "images"
ISSUER = "http://localhost:9000"
OTHERS = {
    "Cursor": "cursor://anysphere.cursor-mcp/oauth/callback",
    "Claude": "https://claude.ai/api/mcp/auth_callback",
    "Visual Studio Code": "http://127.0.0.1:33418/",
}


def main() -> None:
    """Serve the pages as the demo does, and take the pictures."""
    port = free_port()
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory() as folder,
        scene(f"sqlite:///{folder}/db.sqlite3", Path(folder), port, ISSUER) as running,
        landing() as app,
        chromium(f"--host-resolver-rules=MAP localhost:9000 127.0.0.1:{port}, EXCLUDE 127.0.0.1") as browser,
    ):
        resources = running.site.deployment.stores.resources
        resources.replace(replace(NOTES, scopes=SCOPES, tools=TOOLS), EVENT)
        editor = running.app("Claude Code", app.uri)
        profile = browser.new_context(viewport={"width": 1000, "height": 640}, device_scale_factor=1.5)
        dark = browser.new_context(viewport={"width": 390, "height": 700}, device_scale_factor=2, color_scheme="dark")
        _of_decisions(profile.new_page(), running, editor)
        _of_a_phone(dark.new_page(), running, editor)
        _of_the_console(profile.new_page(), running)


def _of_decisions(page: Page, running: Scene, editor: Client) -> None:
    page.goto(running.asks(editor))
    _take(page, "sign-in")
    sign_in(page)
    _take(page, "consent")
    allow(page)
    page.get_by_role("heading", name="Back in the app").wait_for()
    page.goto(running.asks(editor, "notes:read notes:write notes:delete"))
    _take(page, "consent-step-up")


def _of_a_phone(page: Page, running: Scene, editor: Client) -> None:
    page.goto(running.asks(editor, "notes:read notes:write"))
    sign_in(page)
    _take(page, "consent-phone-dark")


def _of_the_console(page: Page, running: Scene) -> None:
    for number, (name, uri) in enumerate(OTHERS.items()):
        client = running.app(name, uri)
        _grant(running.site, client, tuple(scope.name for scope in SCOPES[: 1 + number]))
    page.context.clear_cookies()
    page.set_viewport_size({"width": 1200, "height": 560})
    page.goto(f"{ISSUER}/admin/grants")
    sign_in(page, "root")
    _take(page, "admin-grants")


def _grant(site: Site, client: Client, scopes: tuple[str, ...]) -> None:
    stores = site.deployment.stores
    ada = stores.users.by_name("ada")
    assert ada is not None
    device, uri = credential.digest("another device"), client.redirect_uris[0]
    approval = Approval(
        ada.id,
        client.client_id,
        device,
        host(uri),
        NOTES.identifier,
        scopes,
        client_name=client.name,
        client_identity=client.identity,
    )
    code = NewCode(
        digest=credential.digest(credential.mint(credential.Prefix.CODE)),
        client_id=client.client_id,
        redirect_uri=uri,
        challenge=CHALLENGE,
        resource=NOTES.identifier,
        scopes=scopes,
        auth_time=client.created_at,
        wants_refresh=client.kind is ClientKind.DYNAMIC,
        lifetime=60,
    )
    stores.grants.approve(approval, code, EVENT._replace(name="grant.approved"))


def _take(page: Page, name: str) -> None:
    page.locator("h1").wait_for()
    page.screenshot(path=IMAGES / f"{name}.png", full_page=True)


if __name__ == "__main__":
    main()
