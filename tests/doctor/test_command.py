"""The command: exit status, machine form, and what it refuses to look at."""

import json

import pytest
from click.testing import CliRunner

from authserver.cli import main
from tests.journeys.ports import free_port

from .test_issuer import documents


@pytest.fixture
def doctor(place):
    yield lambda *arguments, **options: CliRunner().invoke(main, ["doctor", *arguments], **options)
    place.front.fault = None


@pytest.mark.requirement("DI-8")
def test_healthy_is_status_0_and_wrong_is_status_1(doctor, place):
    healthy = doctor(place.issuer)
    assert healthy.exit_code == 0
    assert healthy.output.splitlines()[-1].endswith("good, 0 to look at, 0 wrong")
    place.front.fault = documents(issuer="https://other.example")
    wrong = doctor(place.issuer)
    assert wrong.exit_code == 1
    assert "fail  issuer" in wrong.output
    assert "AUTHSERVER_ISSUER" in wrong.output


@pytest.mark.requirement("DI-8")
def test_colours_are_for_terminals_only(doctor, place):
    assert "\x1b" not in doctor(place.issuer).output
    assert "\x1b[32m" in doctor(place.issuer, color=True).output


@pytest.mark.requirement("DI-8")
def test_machines_get_one_object(doctor, place):
    place.front.fault = documents(scopes_supported=[])
    found = doctor(place.issuer, "--json")
    told = json.loads(found.output)
    assert (found.exit_code, told["url"], told["healthy"]) == (0, place.issuer, True)
    warned = [outcome for outcome in told["outcomes"] if outcome["state"] != "ok"]
    assert [outcome["check"] for outcome in warned] == ["refresh"]
    assert all(isinstance(warned[0][member], str) for member in ("what", "why", "remedy"))
    nothing = doctor(f"http://127.0.0.1:{free_port()}", "--json")
    assert (nothing.exit_code, json.loads(nothing.output)["healthy"]) == (1, False)


@pytest.mark.requirement("DI-8")
@pytest.mark.parametrize("url", [
    "", "auth.example", "ftp://a", "http://", "https://u@a", "https://a?x", "https://a#x", "https://[", "https://a b",
    "https://a:99999", "https://a\x1b[31m", "https://ä.example",
])  # fmt: skip
def test_what_is_no_url_is_refused_in_words(doctor, url):
    refused = doctor(url)
    assert refused.exit_code == 2
    assert "Traceback" not in refused.output


@pytest.mark.requirement("DI-8")
def test_a_file_without_certificates_is_refused_in_words(doctor, tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text("nothing")
    refused = doctor("https://localhost", "--ca-file", str(file))
    assert refused.exit_code == 2
    assert "has no certificates" in refused.output


@pytest.mark.requirement("DI-8")
def test_a_client_is_played_by_its_name(doctor, place):
    played = doctor(place.issuer, "--client", "cursor")
    assert (played.exit_code, played.output.splitlines()[-1]) == (0, "4 good, 0 to look at, 0 wrong")
    refused = doctor(place.issuer, "--client", "nobody")
    assert refused.exit_code == 2
    assert "claude-code, " in refused.output
