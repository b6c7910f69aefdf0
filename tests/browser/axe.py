"""What axe-core finds grave on a page as it stands, and what runs off its side."""

from collections.abc import Iterator
from pathlib import Path

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
GRAVE = {"serious", "critical"}
# One of each look that is there to be pressed.
PRESSED = """() => {
  const looks = new Map();
  for (const each of document.querySelectorAll("a[href], button, summary")) {
    if (!each.checkVisibility()) continue;
    const look = [each.tagName, each.className, each.parentElement.className, each.value].join();
    if (!looks.has(look)) looks.set(look, each);
  }
  return [...looks.values()];
}"""


def faults(page) -> list[str]:
    """What axe finds grave, and whether the page is wider than the screen. `evaluate` is not bound by the policy."""
    assert AXE.exists(), "axe-core is not installed: make test-programs"
    page.evaluate(AXE.read_text())
    page.mouse.move(0, 0)
    # It would fetch imported style sheets by itself, which the policy does not let scripts do.
    grave = _grave(page, page.evaluate("tags => axe.run(document, {runOnly: tags, preload: false})", TAGS))
    grave.extend(_faults_under_pointer(page))
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return grave + ([f"{page.url}: {wide} px run off the side"] if wide else [])


def _faults_under_pointer(page) -> Iterator[str]:
    pressed = page.evaluate_handle(PRESSED)
    for number in range(pressed.evaluate("each => each.length")):
        each = pressed.evaluate_handle(f"each => each[{number}]").as_element()
        each.scroll_into_view_if_needed()
        box = each.bounding_box()
        page.mouse.move(box["x"] + min(box["width"] / 2, 8), box["y"] + box["height"] / 2)
        if each.evaluate("each => each.matches(':hover')"):
            yield from _grave(
                page, each.evaluate("each => axe.run(each, {runOnly: ['color-contrast'], preload: false})")
            )
    page.mouse.move(0, 0)


def _grave(page, found) -> list[str]:
    return [
        f"{page.url}: {violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]
