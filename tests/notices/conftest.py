"""A deployment of the test's own, whose notices go into a folder and to a webhook on loopback."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from authserver.protocol.alert import AlertKind
from authserver.protocol.audit import Event, Origin
from authserver.services.deployment import Deployment
from authserver.store.alerts import Alert
from tests.conformance.fixtures import set_up, site_with  # noqa: F401 - the fixtures
from tests.conformance.site import Site
from tests.outbound.authority import Authority
from tests.trail.collectors import Hook, hook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
RAISED = Event("alert.raised", "system", Origin("192.0.2.7"))


@dataclass
class Desk:
    """A deployment, the folder of its mail, and the webhook that it posts to."""

    site: Site
    folder: Path
    hook: Hook

    @property
    def deployment(self) -> Deployment:
        return self.site.deployment

    @property
    def mails(self) -> list[EmailMessage]:
        """All that were written, the oldest first."""
        files = sorted(self.folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        return [message_from_bytes(file.read_bytes(), policy=default) for file in files]

    def raise_alert(self, tool: str = "delete_note", kind: AlertKind = AlertKind.FIRST_DESTRUCTIVE_USE) -> None:
        alert = Alert(kind, "https://notes.example/mcp", "editor", None, tool)
        self.deployment.stores.alerts.raise_new([alert], RAISED)

    def round(self) -> None:
        """What the processes of a server do every few seconds."""
        self.deployment.watch.gathering.gather()
        for target in self.deployment.delivery.targets:
            while self.deployment.delivery.deliver(target):
                pass


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def hooked(authority: Authority) -> Iterator[Hook]:
    with hook(authority.serving("127.0.0.1")) as found:
        yield found


@pytest.fixture
def desk_with(
    site_with: Callable[..., Site],  # noqa: F811 - the fixture
    authority: Authority,
    hooked: Hook,
    tmp_path: Path,
) -> Callable[..., Desk]:
    """Makes a desk, with the settings that it is called with."""

    def make(**settings: Any) -> Desk:
        folder = tmp_path / "mail"
        told = {
            "mail_directory": str(folder),
            "mail_from": "authserver@auth.example",
            "notice_mail": ["ann@admin.example"],
            "notice_webhook": hooked.url,
            "notice_webhook_secret": SECRET,
            "fetch_entered_networks": [f"127.0.0.1:{hooked.port}=127.0.0.1/32"],
            "fetch_ca_file": str(authority.ca_file),
            **settings,
        }
        return Desk(site_with(**told), folder, hooked)

    return make


@pytest.fixture
def desk(desk_with: Callable[..., Desk]) -> Desk:
    return desk_with()
