"""Pages in another language, and from right to left: nothing runs off the side of a phone, and all is mirrored."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.conformance.site import PASSWORD

PHONE = 360  # pixels
PAGES = (
    "",
    "signed-out",
    "account/forgotten",
    "account/connections",
    "account/connections/end",
    "account/activity",
    "account/calls",
    "account/security",
    "account/password",
    "account/email",
    "account/security/factors",
    "account/security/factors/app",
    "sign-out",
    "authorize?client_id=nobody",
)
TURN = "direction => { document.documentElement.dir = direction }"
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Where the bar's two ends are, and on which side a notice has its edge.
SIDES = """() => {
  const middle = element => { const box = element.getBoundingClientRect(); return (box.left + box.right) / 2; };
  const [brand, who, notice] = [".brand", ".who", ".notice"].map(each => document.querySelector(each));
  const edge = notice && getComputedStyle(notice);
  return {
    brand: !who || middle(brand) > middle(who),
    notice: !notice || (edge.borderRightWidth === "4px" && edge.borderLeftWidth === "0px"),
  };
}"""


def enter(running, page) -> None:
    """Sign in, whatever the fields are called."""
    page.goto(f"{running.issuer}/sign-in")
    page.locator("[name=username]").fill("ada")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password] ~ button").click()


def too_wide(page) -> Iterator[tuple[str, str]]:
    """In which directions *page* is wider than the screen."""
    for direction in ("ltr", "rtl"):
        page.evaluate(TURN, direction)
        if page.evaluate(WIDER):
            yield page.url, direction


@pytest.fixture(params=["de-DE", "en-US"])
def page(request, opened):
    return opened(locale=request.param, viewport={"width": PHONE, "height": 800}, reduced_motion="reduce")


def test_nothing_runs_off_the_side_in_either_direction(running, page, app):
    enter(running, page)
    page.goto(running.asks(running.app("Editor", app.uri)))
    found = set(too_wide(page))
    page.locator("button[value=allow]").last.click()
    expect(page.get_by_role("heading")).to_have_text("Back in the app")
    for path in PAGES:
        page.goto(f"{running.issuer}/{path}")
        found.update(too_wide(page))
    assert found == set()


@pytest.mark.parametrize("width", [PHONE, 1280])
def test_a_page_from_right_to_left_is_mirrored(running, opened, width):
    page = opened(viewport={"width": width, "height": 800})
    enter(running, page)
    found = {}
    for path in PAGES:
        page.goto(f"{running.issuer}/{path}")
        page.evaluate(TURN, "rtl")
        found[path] = page.evaluate(SIDES)
    assert found == {path: {"brand": True, "notice": True} for path in PAGES}
