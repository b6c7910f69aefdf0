"""What axe-core finds grave on a page as it stands, and what runs off its side."""

from pathlib import Path

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
GRAVE = {"serious", "critical"}
# It would fetch imported style sheets by itself, which the policy does not let scripts do.
ALL = "tags => axe.run(document, {runOnly: tags, preload: false}).then(found => found.violations)"
# Marks one of each look that is there to be pressed.
MARK = """() => {
  const looks = new Set();
  for (const each of document.querySelectorAll("a[href], button, summary")) {
    const look = [each.tagName, each.className, each.parentElement.className, each.value].join();
    if (!each.checkVisibility() || looks.has(look)) continue;
    looks.add(look);
    each.setAttribute("data-pressed", "");
  }
  return looks.size;
}"""
PRESSED = "[data-pressed]"
# What is half-way between two colours would be judged by neither.
CONTRAST = """pressed => {
  for (const each of document.getAnimations()) each.finish();
  return axe.run(pressed, {runOnly: ["color-contrast"], preload: false}).then(found => found.violations);
}"""


def faults(page) -> list[str]:
    """What axe finds grave, and whether the page is wider than the screen. `evaluate` is not bound by the policy."""
    assert AXE.exists(), "axe-core is not installed: make test-programs"
    page.evaluate(AXE.read_text())
    page.mouse.move(0, 0)
    grave = _grave(page, page.evaluate(ALL, TAGS))
    if page.evaluate(MARK):
        grave.extend(_faults_under_pointer(page))
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return grave + ([f"{page.url}: {wide} px run off the side"] if wide else [])


def _faults_under_pointer(page) -> list[str]:
    """All that is marked, and what is around it, is shown as under the pointer at once: each look of axe takes long."""
    tools = page.context.new_cdp_session(page)
    tools.send("DOM.enable")
    tools.send("CSS.enable")
    root = tools.send("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
    under = {"nodeId": root, "selector": f"{PRESSED}, :has({PRESSED})"}
    for node in tools.send("DOM.querySelectorAll", under)["nodeIds"]:
        tools.send("CSS.forcePseudoState", {"nodeId": node, "forcedPseudoClasses": ["hover"]})
    assert page.locator(PRESSED).first.evaluate("each => each.matches(':hover')")
    found = _grave(page, page.evaluate(CONTRAST, PRESSED))
    tools.detach()
    return found


def _grave(page, violations) -> list[str]:
    return [
        f"{page.url}: {violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in violations
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]
