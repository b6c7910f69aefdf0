"""The files of ``deploy/`` as their own tools would read them."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from compose_spec import _PyOptions as ComposeFile  # type: ignore[attr-defined]

from authserver.cli.serve import options
from authserver.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = "1.34"
MANIFESTS = [path for path in sorted((DEPLOY / "kubernetes").rglob("*.yaml")) if path.name != "kustomization.yaml"]
KUSTOMIZATIONS = sorted((DEPLOY / "kubernetes").rglob("kustomization.yaml"))
SETTINGS = sorted((DEPLOY / "kubernetes").rglob("authserver.toml"))
USER = 10001
GRACE_SECONDS = 20
KEPT_SECONDS = 30
"""What `authserver.cli.serve.options` gives a request that was begun, and a connection that rests."""
SERVING = "/health/serving"
WITH_PODS = ["base/deployment.yaml", "base/migrate.yaml"]


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def manifest(name: str) -> Any:
    return read(DEPLOY / "kubernetes" / name)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_are_what_the_api_of_kubernetes_takes(path: Path):
    kubernetes_validate.validate(read(path), KUBERNETES, strict=True)


def test_a_manifest_with_an_unknown_field_is_refused():
    service = {**manifest("base/service.yaml"), "specs": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(service, KUBERNETES, strict=True)


@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=lambda path: path.parent.name)
def test_kustomizations_name_files_that_are_there_and_all_of_them(path: Path):
    told = read(path)
    settings = [file for each in told["configMapGenerator"] for file in each["files"]]
    assert all((path.parent / name).exists() for name in (*told["resources"], *settings))
    beside = {each.name for each in path.parent.iterdir() if each.is_file()} - {path.name}
    assert beside <= {*told["resources"], *settings}


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl, which would render the manifests, is not here")
def test_the_example_is_rendered_with_its_own_image_and_settings():
    command = ["kubectl", "kustomize", str(DEPLOY / "kubernetes" / "overlays" / "example")]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = {each["kind"]: each for each in yaml.safe_load_all(rendered)}
    for each in found.values():
        kubernetes_validate.validate(each, KUBERNETES, strict=True)
    (container,) = found["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example.com/mcp-authserver:0.1.0"
    mounted = {volume["name"]: volume for volume in found["Deployment"]["spec"]["template"]["spec"]["volumes"]}
    assert mounted["settings"]["configMap"]["name"] == found["ConfigMap"]["metadata"]["name"]


@pytest.mark.parametrize("name", WITH_PODS)
def test_pods_may_do_nothing_that_they_need_not(name: str):
    pod = manifest(name)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]) == (True, USER)
    assert pod["automountServiceAccountToken"] is False
    held = container["securityContext"]
    assert (held["readOnlyRootFilesystem"], held["allowPrivilegeEscalation"]) == (True, False)
    assert held["capabilities"] == {"drop": ["ALL"]}
    assert "memory" in container["resources"]["limits"]


def test_a_pod_has_the_time_to_answer_what_it_began():
    pod = manifest("base/deployment.yaml")["spec"]["template"]["spec"]
    before = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > before + GRACE_SECONDS


def test_whoever_ends_a_node_waits_for_as_long_as_the_words_of_drain_seconds_say():
    most = int(re.search(r"with more than (\d+) the 40", (ROOT / "config" / "default.toml").read_text())[1])
    pod = manifest("base/deployment.yaml")["spec"]["template"]["spec"]
    unit = (DEPLOY / "systemd" / "authserver.service").read_text()
    nodes = read(DEPLOY / "compose.yaml")["services"]
    waits = {
        int(re.search(r"TimeoutStopSec=(\d+)", unit)[1]),
        *(int(nodes[name]["stop_grace_period"].removesuffix("s")) for name in ("node1", "node2")),
        pod["terminationGracePeriodSeconds"] - pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"],
    }
    assert min(waits) == options(Settings(drain_seconds=most))["graceful_timeout"]


def test_containers_that_share_cores_pin_no_workers():
    nodes = read(DEPLOY / "compose.yaml")["services"]
    assert {nodes[name]["environment"]["AUTHSERVER_PIN_WORKERS"] for name in ("node1", "node2")} == {"false"}
    assert not any(Settings(**tomllib.loads(path.read_text())).pin_workers for path in SETTINGS)


def test_pods_reach_the_database_and_the_pooler_that_is_recommended():
    egress = manifest("base/network-policy.yaml")["spec"]["egress"]
    assert {5432, 6432} <= {port["port"] for rule in egress for port in rule["ports"]}


def test_who_chooses_among_nodes_asks_what_does_not_hang_on_the_database():
    (container,) = manifest("base/deployment.yaml")["spec"]["template"]["spec"]["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == SERVING
    assert f"health_uri {SERVING}\n" in (DEPLOY / "caddy" / "Caddyfile").read_text()
    assert f":9000{SERVING}}}" in (DEPLOY / "image" / "healthy.sh").read_text()


def test_selectors_find_the_pods():
    labels = manifest("base/deployment.yaml")["spec"]["template"]["metadata"]["labels"].items()
    deployment, service = manifest("base/deployment.yaml")["spec"], manifest("base/service.yaml")["spec"]
    budget, policy = manifest("base/pod-disruption-budget.yaml")["spec"], manifest("base/network-policy.yaml")["spec"]
    for selector in (deployment["selector"], budget["selector"], policy["podSelector"]):
        assert selector["matchLabels"].items() <= labels
    assert service["selector"].items() <= labels
    job = manifest("base/migrate.yaml")["spec"]["template"]["metadata"]["labels"].items()
    assert not service["selector"].items() <= job


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: path.parent.name)
def test_their_settings_are_settings(path: Path):
    assert Settings(**tomllib.loads(path.read_text())).trusted_proxies == 1


def compose(text: str) -> Any:
    """*text* as the Compose Specification reads it. Raises ``ValueError``."""
    reader = ComposeFile()
    reader.apply_merge = True
    found = reader.from_yaml(text)
    found.validate()
    return found


def test_the_compose_file_is_what_its_specification_takes():
    compose((DEPLOY / "compose.yaml").read_text())


def test_a_compose_file_with_an_unknown_field_is_refused():
    with pytest.raises(ValueError, match="read_onyl"):
        compose((DEPLOY / "compose.yaml").read_text().replace("read_only", "read_onyl", 1))


def test_the_nodes_of_compose_have_their_secrets_in_files_and_time_to_end():
    told = read(DEPLOY / "compose.yaml")
    for name in ("node1", "node2", "migrate"):
        node = told["services"][name]
        assert (node["read_only"], node["cap_drop"]) == (True, ["ALL"])
        assert int(node["stop_grace_period"].removesuffix("s")) > GRACE_SECONDS
        assert not any("PASSWORD" in key or key.endswith("_KEY") for key in node["environment"])
        names = {name.removeprefix("AUTHSERVER_").lower() for name in node["environment"]} - {"redis_url"}
        assert names <= Settings.model_fields.keys()
    used = {
        each if isinstance(each, str) else each["source"]
        for one in told["services"].values()
        for each in one.get("secrets", [])
    }
    assert used == told["secrets"].keys()


def test_proxies_let_go_of_resting_connections_before_the_server_does():
    nginx = re.search(r"keepalive_timeout (\d+)s", (DEPLOY / "nginx" / "authserver.conf").read_text())
    caddy = re.search(r"keepalive (\d+)s", (DEPLOY / "caddy" / "Caddyfile").read_text())
    assert int(nginx[1]) < KEPT_SECONDS
    assert int(caddy[1]) < KEPT_SECONDS


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd, which would judge its units, is not here")
def test_systemd_finds_its_service_well_confined():
    unit = DEPLOY / "systemd" / "authserver.service"
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd, which would judge its units, is not here")
def test_systemd_understands_its_units(tmp_path: Path):
    for unit in ("authserver.service", "authserver.socket"):
        text = (DEPLOY / "systemd" / unit).read_text()
        (tmp_path / unit).write_text(text.replace("/opt/authserver/bin/authserver", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(path) for path in tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if "authserver" in line]) == (0, [])


def test_the_dockerfile_does_what_its_scripts_do_and_runs_as_its_own_user():
    text = (DEPLOY / "Dockerfile").read_text()
    assert f"USER {USER}:{USER}" in text
    for script in sorted((DEPLOY / "image").iterdir()):
        assert script.name in text
    stages = text.split("\nFROM ")
    assert all("ARG EXTRAS\n" in stage and stage.count('"$EXTRAS"') == 1 for stage in stages[1:])
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert all(re.fullmatch(r"python:3\.\d+-slim-\w+", base) for base in bases)
