"""Forms that another site has somebody's browser send: whatever they say, nothing happens."""

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from authserver.store.models import AuditRow
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor, forms

pytestmark = pytest.mark.requirement("AZ-10")

HERE = "https://auth.example"
ELSEWHERE = {"Origin": "https://evil.example", "Referer": "https://evil.example/form"}
OURS = {"Origin": HERE, "Referer": f"{HERE}/sign-in"}


@pytest.fixture
def site(site_with) -> Site:
    return site_with(issuer=HERE)


@pytest.fixture
def owner(site: Site) -> Visitor:
    """Root, signed in, who may do everything."""
    found = Visitor(site, "root")
    found.open("/sign-in")
    return found


def paths(site: Site) -> list[str]:
    """Where forms of pages go."""
    pages = ("account.", "oauth.", "admin.")
    rules = [rule for rule in site.app.url_map.iter_rules() if rule.endpoint.startswith(pages) and not rule.arguments]
    return sorted({rule.rule for rule in rules if "POST" in (rule.methods or ())})


def post(browser: Visitor, path: str, headers: dict[str, str], **fields: str) -> TestResponse:
    return browser.http.post(path, base_url=HERE, data=fields, headers=headers)


def happened(site: Site) -> int:
    with site.deployment.stores.database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(AuditRow)) or 0


def test_no_form_of_another_site_does_anything(site: Site, owner: Visitor):
    page = owner.http.get("/account/security", base_url=HERE)
    token = dict(forms(page)[0].fields)["csrf_token"]
    before, found = happened(site), paths(site)
    assert len(found) > 40
    for path in found:
        for fields in ({"csrf_token": token}, {}):
            assert post(owner, path, ELSEWHERE, **fields).status_code in {303, 400, 403, 404, 410}, path
    assert happened(site) == before
    assert owner.http.get("/account/security", base_url=HERE).status_code == 200


def test_nobody_is_signed_in_as_somebody_else_by_another_site(site: Site):
    victim = Visitor(site)
    token = dict(forms(victim.http.get("/sign-in", base_url=HERE))[0].fields)["csrf_token"]
    fields = {"csrf_token": token, "username": "root", "password": PASSWORD, "stays": "yes"}
    assert post(victim, "/sign-in", ELSEWHERE, **fields).status_code == 400
    assert victim.http.get("/account/security", base_url=HERE).status_code == 303
    assert post(victim, "/sign-in", OURS, **fields).status_code == 303
