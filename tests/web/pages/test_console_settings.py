"""Settings in the console: all of them, with where they come from, and without a secret."""

from authserver.protocol.role import Role
from authserver.settings import Settings
from tests.web.pages.test_consent_page import words


def test_every_setting_is_shown_with_its_value_and_its_source(admin, site):
    page = admin.open("/admin/settings")
    said = words(page)
    for name in Settings.model_fields:
        assert f"<code>{name}</code>" in page.text
    assert site.deployment.settings.issuer in said
    assert "access_token_lifetime Seconds that an access token lives. 600 built in" in said
    assert "There is no file." in said


def test_settings_are_for_owner_admin_and_auditor(signed_in_as):
    for role, status in ((Role.ADMIN, 200), (Role.AUDITOR, 200), (Role.SUPPORT, 403)):
        assert signed_in_as(role).http.get("/admin/settings").status_code == status
