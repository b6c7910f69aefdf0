"""Dashboard, rules and alerts: they can be read, ask for what there is, and alerts come when they should."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from authserver.observability.metrics import Metrics
from authserver.services.monitoring.figures import Figures
from tools.system_needs import PATH

from .scrape import Scrape

ROOT = Path(__file__).parents[2]
FILES = ROOT / "deploy" / "observability"
NAME = re.compile(r"\bauthserver[:_][a-zA-Z0-9:_]+")


def promtool(*arguments: str) -> str:
    done = subprocess.run(
        ["promtool", *arguments],
        cwd=FILES,
        env={"PATH": PATH},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def rules() -> list[dict[str, str]]:
    return [rule for group in yaml.safe_load((FILES / "rules.yml").read_text())["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def expressions(rules) -> list[str]:
    panels = json.loads((FILES / "dashboard.json").read_text())["panels"]
    shown = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    assert len(shown) > 30
    return [*shown, *(str(rule["expr"]) for rule in rules)]


def test_rules_and_the_example_are_as_prometheus_reads_them():
    assert "SUCCESS" in promtool("check", "rules", "rules.yml")
    assert "SUCCESS" in promtool("check", "config", "prometheus.example.yml")


def test_the_expressions_of_the_dashboard_are_as_prometheus_reads_them(tmp_path, expressions):
    asked = [each.replace("$instance", ".*") for each in expressions]
    records = [{"record": f"shown_{number}", "expr": each} for number, each in enumerate(asked)]
    (tmp_path / "shown.yml").write_text(yaml.safe_dump({"groups": [{"name": "shown", "rules": records}]}))
    promtool("check", "rules", str(tmp_path / "shown.yml"))


def test_alerts_come_when_they_should_and_only_then():
    assert "SUCCESS" in promtool("test", "rules", "rules_test.yml")


def test_every_alert_is_seen_to_come_and_not_to_come(rules):
    """What came and what did not, by the unit tests that promtool runs."""
    tests = yaml.safe_load((FILES / "rules_test.yml").read_text())["tests"]
    looks = [look for test in tests for look in test["alert_rule_test"]]
    alerts = {rule["alert"] for rule in rules if "alert" in rule}
    assert {look["alertname"] for look in looks if look["exp_alerts"]} == alerts
    assert {look["alertname"] for look in looks if not look["exp_alerts"]} == alerts


def test_every_metric_that_is_asked_for_is_one_that_there_is(site, rules, expressions):
    """By the names that a scrape tells before anything has happened, and those that rules record."""
    told = Scrape(Figures(site.deployment, Metrics()).text().decode())
    known = {rule["record"] for rule in rules if "record" in rule}
    for family in told.families:
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(family.type, ("",))
        known |= {family.name + suffix for suffix in suffixes}
    asked = {name for each in expressions for name in NAME.findall(each)}
    assert asked - known == set()


def test_every_alert_has_its_line_in_the_runbook(rules):
    runbook = (ROOT / "docs" / "observability.md").read_text()
    alerts = [rule for rule in rules if "alert" in rule]
    assert alerts
    for alert in alerts:
        assert f"| `{alert['alert']}` |" in runbook
        assert alert["annotations"]["runbook"].startswith("docs/observability.md")


def test_every_metric_has_its_line_in_the_documentation(site):
    documented = (ROOT / "docs" / "observability.md").read_text()
    told = Scrape(Figures(site.deployment, Metrics()).text().decode())
    for family in told.families:
        if family.name.startswith("authserver_") and not family.name.endswith("_created"):
            name = family.name + ("_total" if family.type == "counter" else "")
            assert f"`{name}`" in documented, name
