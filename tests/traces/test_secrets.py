"""No secret of a flow is in any row of its trace, and nothing that a stranger wrote can do harm there."""

from sqlalchemy import select

from authserver.store.models import TraceRow, TraceStepRow
from tests.conformance.flow import PUBLIC
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor

from .telling import attempts

SECRETS = ("code", "code_verifier", "code_challenge", "state", "access_token", "refresh_token", "client_secret")
NASTY = "<script>alert(1)</script>\x1b[31m\u202e=cmd()" + "x" * 5000


def strings(value: object) -> list[str]:
    """All strings in *value*, names too."""
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in strings(part)]
    return [value] if isinstance(value, str) else []


def kept(site: Site) -> list[str]:
    site.deployment.tracing.recorder.flush()
    with site.deployment.stores.database.reading() as connection:
        rows = [
            row._asdict()
            for table in (TraceRow, TraceStepRow)
            for row in connection.execute(select(*table.__table__.columns))
        ]
    assert rows
    return strings(dict(enumerate(rows)))


def test_no_secret_of_a_flow_is_in_any_row(site, flow, visitor):
    flow.register({**PUBLIC, "token_endpoint_auth_method": "client_secret_post"})
    secret = flow.values["client_secret"]
    flow.allow(visitor)
    flow.values |= flow.token(client_secret=secret).json
    for refused in (
        flow.token(client_secret=secret),
        flow.token(client_secret="a wrong secret"),
        flow.token(code_verifier="another" * 10),
        flow.refresh(client_secret="a wrong secret"),
        flow.refresh(client_secret=secret, refresh_token=flow.values["refresh_token"] + "x"),
        visitor.open(flow.url(redirect_uri=f"http://127.0.0.1/other?token={flow.values['access_token']}")),
        visitor.open(flow.url(resource=f"https://nobody:{PASSWORD}@mcp.example/?key={secret}")),
        visitor.http.post("/sign-in?next=" + flow.url(), data={"username": "ada", "password": PASSWORD}),
    ):
        assert refused.status_code != 200
    text = "\n".join(kept(site))
    known = {name: flow.values[name] for name in SECRETS}
    known |= {"registration_access_token": flow.client["registration_access_token"], "password": PASSWORD}
    for name, value in known.items():
        assert len(value) > 8
        assert value not in text, name
    assert "secret" not in text.replace("client_secret", "")
    assert "ada" not in text.split(), "people are told by their id alone"


def test_a_secret_in_place_of_an_id_is_kept_nowhere(site, flow, visitor):
    flow.register({**PUBLIC, "token_endpoint_auth_method": "client_secret_post"})
    flow.allow(visitor)
    secret = flow.values["client_secret"]
    for client_id in (secret, f"https://app:{PASSWORD}@app.example/client.json?key={PASSWORD}"):
        assert flow.token(client_id=client_id, client_secret="an id").status_code == 401
        assert visitor.open(flow.url(client_id=client_id)).status_code != 200
    text = "\n".join(kept(site))
    assert secret not in text
    assert PASSWORD not in text


def test_what_strangers_write_is_short_and_on_one_line(site, flow, visitor):
    visitor.http.get("/.well-known/" + "y" * 3000, headers={"User-Agent": "z" * 3000})
    flow.register({**PUBLIC, "client_name": NASTY[:200]})
    flow.register({**PUBLIC, "redirect_uris": [f"https://{NASTY}"]})
    for name in ("client_id", "resource", "scope", "redirect_uri"):
        site.get(flow.url(**{name: NASTY[:2000]}))
    for text in kept(site):
        assert len(text) <= 512
        assert text.isprintable() or text.startswith("<script>"), text


def test_a_strangers_text_is_shown_as_text(site, flow, visitor):
    flow.values["client_id"] = NASTY[:300]
    visitor.open(flow.url())
    (attempt,) = attempts(site)
    admin = Visitor(site, "root")
    for path in ("/admin/traces", f"/admin/trace?id={attempt.id}"):
        page = admin.open(path)
        assert page.status_code == 200
        assert "&lt;script&gt;" in page.text
        assert "<script" not in page.text
        assert "\x1b" not in page.text
