"""Whose is this token? Any kind is looked up by its value, which is shown, kept and logged nowhere."""

import base64
import json
import re
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import text
from sqlalchemy.event import listen, remove
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from authserver.observability.logs import configure
from authserver.protocol.audit import Event
from authserver.protocol.resource import TokenFormat
from authserver.store.audit import AuditFilter
from authserver.store.database import Database
from authserver.store.lane import Lane
from tests.conformance.flow import Flow
from tests.conformance.site import NOTES, Site
from tests.conformance.visitor import Visitor, forms
from tests.web.pages.test_consent_page import words
from tests.web.pages.test_console import press

EVENT = Event("test.done", "system")


def look_up(admin: Visitor, value: str):
    page = admin.open("/admin/grants/token")
    return admin.submit(page, forms(page)[-1], {"token": value})


def grant_of(site: Site, flow: Flow) -> str:
    (grant,) = site.deployment.stores.grants.page(flow.values["client_id"], None, 9)
    return grant.id


def claims_of(token: str) -> dict[str, str]:
    payload = token.split(".")[1]
    found: dict[str, str] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


@pytest.fixture
def tokens(flow: Flow, visitor: Visitor) -> dict[str, str]:
    flow.register()
    found: dict[str, str] = flow.tokens(visitor)
    return found


def test_access_and_refresh_tokens_lead_to_their_grant(site: Site, flow: Flow, tokens, admin: Visitor):
    for name, kind in (("access_token", "an access token live"), ("refresh_token", "a refresh token live")):
        page = look_up(admin, f"  {tokens[name]}\n")
        assert page.status_code == 200
        said = words(page)
        assert f"That is {kind}" in said
        for fact in ("Ada", flow.values["client_id"], NOTES.identifier, grant_of(site, flow)):
            assert fact in said
        assert f'href="/admin/grant?id={grant_of(site, flow)}"' in page.text


def test_ids_lead_there_too(site: Site, flow: Flow, tokens, admin: Visitor):
    jti = claims_of(tokens["access_token"])["jti"]
    for value, kind in ((jti, "token id"), (jti.partition(".")[0], "refresh family"), (grant_of(site, flow), "grant")):
        said = words(look_up(admin, value))
        assert f"That is a {kind} live" in said
        assert grant_of(site, flow) in said


def test_a_token_that_was_used_or_ended_says_so(site: Site, flow: Flow, tokens, admin: Visitor):
    assert flow.refresh().status_code == 200
    assert "a refresh token used" in words(look_up(admin, tokens["refresh_token"]))
    press(admin, f"/admin/grant/revoke?id={grant_of(site, flow)}")
    assert "a refresh token ended" in words(look_up(admin, tokens["refresh_token"]))
    page = look_up(admin, tokens["access_token"])
    assert "an access token ended" in words(page)
    assert "Revoke the grant" not in page.text


def test_a_code_is_found_before_and_after_it_was_redeemed(site: Site, flow: Flow, visitor: Visitor, admin: Visitor):
    flow.register()
    code = flow.allow(visitor)["code"]
    assert "an authorization code live" in words(look_up(admin, code))
    assert flow.token().status_code == 200
    said = words(look_up(admin, code))
    assert "an authorization code used" in said
    assert grant_of(site, flow) in said


def test_opaque_tokens_are_found(site_with: Callable[..., Site]):
    site = site_with()
    site.deployment.stores.resources.replace(replace(NOTES, token_format=TokenFormat.OPAQUE), EVENT)
    flow = Flow(site)
    flow.register()
    token = flow.tokens(Visitor(site, "ada"))["access_token"]
    assert token.startswith("mcpa_")
    said = words(look_up(Visitor(site, "root"), token))
    assert "an access token live" in said
    assert grant_of(site, flow) in said


def test_a_token_that_nobody_vouches_for_tells_only_what_it_names(site: Site, flow: Flow, tokens, admin: Visitor):
    header, payload, signature = tokens["access_token"].split(".")
    said = words(look_up(admin, f"{header}.{payload}.{signature[::-1]}"))
    assert "It has expired, or this server did not make it. What follows is what it names." in said
    assert grant_of(site, flow) in said
    strange = base64.urlsafe_b64encode(json.dumps({"jti": ["x"]}).encode()).decode().rstrip("=")
    for value in (f"a.{strange}.b", "a.b.c", "..", f"a.{'A' * 9000}.c", "mcpa_x", "mcpr_x", "mcpc_x"):
        page = look_up(admin, value)
        assert page.status_code == 200
        assert 'href="/admin/grant?' not in page.text


@pytest.mark.parametrize("value", ["x", "<script>alert(1)</script>", "\u202e", "a.b", "\0", "x" * 20_000, "é" * 100])
def test_what_is_no_token_is_answered_and_not_shown(admin: Visitor, value: str):
    page = look_up(admin, value)
    assert page.status_code == 200
    assert "nothing that this server knows" in words(page)
    assert "<script>" not in page.text
    assert value[:50] == "x" or value not in page.text or value in {"a.b"}


@pytest.mark.parametrize("prefix", ["mcps_", "mcpg_", "mcpi_", "mcpw_"])
def test_other_secrets_are_named_and_not_looked_up(admin: Visitor, prefix: str):
    assert "not looked up" in words(look_up(admin, prefix + "x" * 43))


def test_nothing_is_looked_up_where_nothing_was_pasted(admin: Visitor):
    page = look_up(admin, "  ")
    assert page.status_code == 400
    assert "Paste a token" in page.text


@pytest.fixture
def logged() -> Iterator[Sequence[MutableMapping[str, Any]]]:
    """The log lines of all levels."""
    configure("DEBUG")
    with capture_logs() as lines:
        yield lines
    configure("ERROR")


@pytest.mark.requirement("TK-6")
def test_a_pasted_token_is_in_no_url_page_log_or_event(site: Site, tokens, admin: Visitor, logged):
    pages = [look_up(admin, tokens[name]) for name in ("access_token", "refresh_token")]
    told = str([line.event for line in site.deployment.stores.audit.page(AuditFilter(), None, 500)])
    for name in ("access_token", "refresh_token"):
        for where in (str(logged), told, *(page.text for page in pages), *(page.request.url for page in pages)):
            assert tokens[name] not in where
            assert tokens[name].rpartition(".")[0][-30:] not in where


def test_a_value_in_the_address_is_not_looked_up(tokens, admin: Visitor):
    page = admin.open(f"/admin/grants/token?token={tokens['access_token']}")
    assert "Whose is this token?" in page.text
    assert tokens["access_token"] not in page.text.replace("/admin/grants/token?token=", "")


def test_one_family_ends_and_the_grant_stays(site: Site, flow: Flow, tokens, visitor: Visitor, admin: Visitor):
    first = tokens["refresh_token"].rpartition(".")[2]
    second = flow.tokens(visitor)
    page = admin.open(f"/admin/grant?id={grant_of(site, flow)}")
    assert first in page.text
    links = [one.replace("&amp;", "&") for one in re.findall(r'href="(/admin/grant/family/revoke[^"]+)"', page.text)]
    assert len(links) == 2
    answer = press(admin, f"/admin/grant/family/revoke?id={first}")
    assert answer.request.path == "/admin/grant"
    assert f"/admin/grant/family/revoke?id={first}" not in answer.text
    assert flow.refresh(refresh_token=tokens["refresh_token"]).status_code == 400
    assert flow.refresh(refresh_token=second["refresh_token"]).status_code == 200
    (line,) = site.deployment.stores.audit.page(AuditFilter(name="family.revoked"), None, 1).lines
    assert (line.event.grant_id, line.event.client_id) == (grant_of(site, flow), flow.values["client_id"])


@pytest.mark.parametrize("path", ["grant", "grant/family/revoke", "grant/revoke"])
@pytest.mark.parametrize("query", ["", "?id=", "?id=nobody", "?id=%00", "?id=%ff"])
def test_a_grant_or_family_that_there_is_not_is_404(admin: Visitor, path: str, query: str):
    assert admin.open(f"/admin/{path}{query}").status_code == 404


def test_grants_are_searched_by_person_client_server_and_scope(site: Site, flow: Flow, tokens, admin: Visitor):
    client_id = flow.values["client_id"]
    shown = f"/admin/grant?id={grant_of(site, flow)}"
    for query in ("person=ada&client={0}", "client={0}&scope=notes:read", "server=" + NOTES.identifier + "&client={0}"):
        assert shown in admin.open(f"/admin/grants?{query.format(client_id)}&show=live").text
    for query in ("person=nobody&client={0}", "client={0}&scope=notes:delete", "server=x&client={0}"):
        assert shown not in admin.open(f"/admin/grants?{query.format(client_id)}").text


@pytest.mark.parametrize(
    "around", ["Bearer {}", "Authorization: Bearer {}", '"{}"', "refresh_token={}&x=1", '{{"t": "{}"}}']
)
def test_what_was_copied_with_a_token_is_taken_off(tokens, admin: Visitor, around: str):
    for name, kind in (("access_token", "an access token live"), ("refresh_token", "a refresh token live")):
        assert f"That is {kind}" in words(look_up(admin, around.format(tokens[name])))


@pytest.mark.parametrize("around", ["{}", "Bearer {}", "x{}", "'{}'", "{}\x00", "a {} b", "{}{}"])
def test_no_pasted_secret_is_sent_to_the_database(site: Site, tokens, admin: Visitor, around: str):
    page = admin.open("/admin/grants/token")
    form = forms(page)[-1]
    for secret in tokens["access_token"], tokens["refresh_token"]:
        with parameters(site.deployment.stores.database) as sent:
            admin.submit(page, form, {"token": around.format(secret, secret)})
        assert sent
        assert not [each for each in sent if secret in str(each)], around


def test_an_error_of_the_database_tells_no_parameters(site: Site):
    with pytest.raises(DBAPIError) as failed, site.deployment.stores.database.reading() as connection:
        connection.execute(text("SELECT nothing FROM nowhere WHERE it = :secret"), {"secret": "mcpr_secret"})
    assert "mcpr_secret" not in str(failed.value)


@contextmanager
def parameters(database: Database) -> Iterator[list[object]]:
    """What *database* is sent with its statements meanwhile."""
    found: list[object] = []
    one_row = Lane.one_row

    def note(connection: object, cursor: object, statement: str, sent: object, *others: object) -> None:
        found.append(sent)

    def note_one_row(lane: Lane, statement: str, sent: Any) -> Any:
        found.append(sent)
        return one_row(lane, statement, sent)

    listen(database.engine, "before_cursor_execute", note)
    try:
        with patch.object(Lane, "one_row", note_one_row):
            yield found
    finally:
        remove(database.engine, "before_cursor_execute", note)
