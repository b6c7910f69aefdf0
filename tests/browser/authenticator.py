"""A device that keeps passkeys, without a person to touch it: Chromium's own, by its debugging protocol."""

from typing import Any

from playwright.sync_api import CDPSession, Page


class Authenticator:
    """The authenticator of *page*'s browser. It says yes at once, as long as its person is there."""

    def __init__(self, page: Page) -> None:
        self._tools: CDPSession = page.context.new_cdp_session(page)
        self._tools.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = self._tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self._id: str = made["authenticatorId"]

    def passkeys(self) -> list[dict[str, Any]]:
        """What it keeps."""
        found: list[dict[str, Any]] = self._tools.send("WebAuthn.getCredentials", {"authenticatorId": self._id})[
            "credentials"
        ]
        return found

    def keep(self, passkey: dict[str, Any]) -> None:
        """Let it have *passkey* too, as another one has it."""
        self._tools.send("WebAuthn.addCredential", {"authenticatorId": self._id, "credential": passkey})

    def set_person_there(self, there: bool) -> None:
        """Whether somebody shows a finger."""
        verified = {"authenticatorId": self._id, "isUserVerified": there}
        self._tools.send("WebAuthn.setUserVerified", verified)
