"""What an administrator decides about the domains of clients, in the console."""

import secrets

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.domain import Decision
from authserver.protocol.role import Role
from authserver.store.audit import AuditFilter
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor, forms
from tests.web.pages.conftest import As

EVENT = Event("test.done", "system")


@pytest.fixture
def domain(site: Site):
    name = f"d{secrets.token_hex(4)}.example"
    yield name
    site.deployment.stores.domains.forget(name, EVENT)


def fields(admin: Visitor, domain: str) -> dict[str, str]:
    (form,) = [one for one in forms(admin.open(f"/admin/domain?id={domain}")) if "seen" in one.names()]
    return dict(form.fields)


def send(admin: Visitor, domain: str, **typed: str):
    return admin.http.post("/admin/domain", data={**fields(admin, domain), "domain": domain, **typed})


@pytest.mark.requirement("CR-10")
def test_a_domain_is_decided_about_shown_and_forgotten(site: Site, admin: Visitor, domain: str):
    domains, audit = site.deployment.stores.domains, site.deployment.stores.audit
    assert send(admin, domain.upper(), decision="ask").status_code == 303
    assert domains.all()[domain] is Decision.ASK
    shown = admin.open("/admin/domains")
    assert f"<code>{domain}</code>" in shown.text
    assert f"/admin/domain?id={domain}" in shown.text
    assert send(admin, domain, decision="allow").status_code == 303
    assert domains.all()[domain] is Decision.ALLOW
    newest = audit.page(AuditFilter(name="domain.decided"), None, 1).lines[0]
    assert newest.event.detail == {"domain": domain, "decision": "allow"}
    assert send(admin, domain, decision="forget").status_code == 303
    assert domain not in domains.all()


def test_what_is_wrong_is_told_and_nothing_is_done(site: Site, admin: Visitor, domain: str):
    for wrong in ("", "a b", "<b>", "https://a.example", "a..example", "x" * 64 + ".example", f"{'a.' * 130}example"):
        refused = admin.http.post("/admin/domain", data={**fields(admin, domain), "domain": wrong, "decision": "allow"})
        assert refused.status_code == 400, wrong
        assert "not a domain such as" in refused.text
        assert "<b>" not in refused.text
    for chosen in ("", "maybe"):
        refused = send(admin, domain, decision=chosen)
        assert refused.status_code == 400
        assert "Choose one of these." in refused.text
        assert f'value="{domain}"' in refused.text
    assert domain not in site.deployment.stores.domains.all()


def test_who_decides_second_is_told(site: Site, admin: Visitor, domain: str):
    old = fields(admin, domain)
    site.deployment.stores.domains.decide(domain, Decision.DENY, EVENT)
    late = admin.http.post("/admin/domain", data={**old, "domain": domain, "decision": "allow"})
    assert late.status_code == 409
    assert "was decided about already" in late.text
    assert site.deployment.stores.domains.all()[domain] is Decision.DENY


def test_who_may_only_read_sees_what_was_decided_and_no_way_to_decide(site: Site, signed_in_as: As, domain: str):
    site.deployment.stores.domains.decide(domain, Decision.DENY, EVENT)
    auditor = signed_in_as(Role.AUDITOR)
    page = auditor.open("/admin/domains").text
    assert domain in page
    assert "/admin/domain?" not in page
    assert auditor.open(f"/admin/domain?id={domain}").status_code == 403
