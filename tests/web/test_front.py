"""What every request passes first: a body that cannot be read is the client's mistake, and headers move nothing."""

import pytest
from werkzeug.exceptions import BadRequest

from authserver.web.front import Body
from tests.conformance.fixtures import site

__all__ = ["site"]


class Broken:
    """A server's stream in the middle of a broken chunk."""

    def read(self, size: int = -1) -> bytes:
        raise RuntimeError("invalid chunk")

    readline = read


@pytest.mark.requirement("TK-7")
@pytest.mark.parametrize("path", ["/token", "/register", "/revoke", "/introspect", "/sign-in"])
def test_a_body_that_breaks_off_is_a_bad_request(site, path):
    kind = "application/json" if path == "/register" else "application/x-www-form-urlencoded"
    broken = {"wsgi.input": Broken(), "wsgi.input_terminated": True}
    answer = site.app.test_client().post(path, content_type=kind, environ_overrides=broken)
    assert answer.status_code == 400


def test_the_reason_stays_inside():
    with pytest.raises(BadRequest, match="the body is malformed"):
        Body(Broken()).readline()


@pytest.mark.requirement("DI-3", "AZ-10")
@pytest.mark.parametrize("claimed", ["/x", "//evil.example"])
def test_a_claimed_script_name_moves_nothing(site, claimed):
    answer = site.app.test_client().get("/admin", environ_overrides={"SCRIPT_NAME": claimed})
    assert answer.location.startswith("/sign-in?next=/admin")
