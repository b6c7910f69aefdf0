"""Settings: checked at start, told in words, and documented where operators look."""

import tomllib
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from authserver.settings import Settings, SettingsError, load
from authserver.settings.told import Source, Told, told

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.requirement("AZ-10")
@pytest.mark.parametrize(
    "issuer",
    [
        "http://auth.example.com",
        "ftp://localhost",
        "auth.example.com",
        "https://a/?q",
        "https://a/#f",
        "https://a/",
        "HTTPS://a",
        "https://a:443",
        "https://a/../b",
        "https://a//b",
        "https://a b",
    ],
)
def test_only_https_or_a_loopback_issuer_starts(issuer):
    with pytest.raises(ValidationError):
        Settings(issuer=issuer)


@pytest.mark.parametrize("issuer", ["https://auth.example.com/tenant1", "http://localhost:9000", "http://[::1]:9000"])
def test_other_issuers_are_kept_to_the_byte(issuer):
    assert Settings(issuer=issuer).issuer == issuer


def test_a_wrong_setting_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("AUTHSERVER_HOME", str(tmp_path))
    monkeypatch.setenv("AUTHSERVER_WORKERS", "none")
    with pytest.raises(SettingsError, match="workers"):
        load()


def test_the_environment_wins_over_the_file_in_the_home_folder(monkeypatch, tmp_path):
    (tmp_path / "authserver.toml").write_text('issuer = "http://localhost:1"\nworkers = 3\n')
    monkeypatch.setenv("AUTHSERVER_HOME", str(tmp_path))
    monkeypatch.setenv("AUTHSERVER_ISSUER", "http://localhost:2")
    found = load()
    assert (found.issuer, found.workers) == ("http://localhost:2", 3)


@pytest.mark.parametrize("text", ["unknown = 1", "not toml"])
def test_a_broken_file_is_an_error_in_words(monkeypatch, tmp_path, text):
    (tmp_path / "authserver.toml").write_text(text)
    monkeypatch.setenv("AUTHSERVER_CONFIG", str(tmp_path / "authserver.toml"))
    with pytest.raises(SettingsError):
        load()


def test_the_documented_defaults_are_those_of_the_code():
    documented = tomllib.loads((ROOT / "config" / "default.toml").read_text())
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    plain = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in defaults.items()
    }
    assert documented == {name: str(value) if isinstance(value, Path) else value for name, value in plain.items()}


@pytest.mark.parametrize("name", ["development.toml", "production.example.toml"])
def test_the_example_files_are_valid(name):
    assert Settings(**tomllib.loads((ROOT / "config" / name).read_text()))


@pytest.mark.requirement("CR-8")
def test_exceptions_of_the_fetch_are_read_by_host_and_port():
    exceptions = ["CIMD.test:8443=127.0.0.1/32", "[::1]:443=::1/128, 10.0.0.0/8"]
    assert Settings(fetch_exceptions=exceptions).pinned_hosts == {
        ("cimd.test", 8443): (IPv4Network("127.0.0.1/32"),),
        ("::1", 443): (IPv6Network("::1/128"), IPv4Network("10.0.0.0/8")),
    }


@pytest.mark.requirement("CR-8")
@pytest.mark.parametrize(
    "exception",
    [
        "",
        "cimd.test",
        "cimd.test=127.0.0.1/32",
        "cimd.test:8443",
        "cimd.test:8443=",
        "cimd.test:8443=anywhere",
        "cimd.test:8443=127.0.0.1/8",
        "cimd.test:0=127.0.0.1/32",
        "cimd.test:65536=127.0.0.1/32",
        "*.test:8443=127.0.0.1/32",
        "https://cimd.test:8443=127.0.0.1/32",
    ],
)
def test_an_exception_that_cannot_be_read_is_named_at_start(exception):
    with pytest.raises(ValidationError, match="fetch_exceptions"):
        Settings(fetch_exceptions=[exception])


@pytest.mark.requirement("CR-8")
@pytest.mark.parametrize(
    "proxy",
    [
        "proxy:3128",
        "https://proxy:3128",
        "http://proxy",
        "http://proxy:0",
        "http://user:secret@proxy:3128",
        "http://p:99999",
    ],
)
def test_a_proxy_of_the_fetch_is_a_host_and_a_port(proxy):
    with pytest.raises(ValidationError, match="fetch_proxy"):
        Settings(fetch_proxy=proxy)
    assert Settings(fetch_proxy="http://proxy.example:3128").fetch_proxy == "http://proxy.example:3128"


@pytest.mark.requirement("CR-8")
def test_a_file_of_authorities_without_certificates_is_named_at_start(tmp_path):
    (tmp_path / "empty.pem").touch()
    for name in ("empty.pem", "absent.pem"):
        with pytest.raises(ValidationError, match=name):
            Settings(fetch_ca_file=str(tmp_path / name))


@pytest.mark.requirement("DI-8")
@pytest.mark.parametrize(("given", "looks"), [
    ({"issuer": "https://auth.example.com"}, True),
    ({"issuer": "https://auth.example.com", "check_public_url": False}, False),
    ({"issuer": "http://localhost:9000"}, False),
    ({"issuer": "https://127.0.0.1:9000"}, False),
    ({"issuer": "https://[::1]:9000"}, False),
])  # fmt: skip
def test_a_server_looks_at_its_own_url_where_others_see_it(given, looks):
    assert Settings(**given).looks_at_itself is looks


def lines_of(settings: Settings) -> dict[str, Told]:
    return {line.name: line for lines in told(settings).values() for line in lines}


def test_every_setting_is_told_once_with_what_it_is_for():
    found = told(Settings())
    names = [line.name for lines in found.values() for line in lines]
    assert sorted(names) == sorted(Settings.model_fields)
    assert all(line.purpose for line in lines_of(Settings()).values())
    assert {line.source for line in lines_of(Settings()).values()} == {Source.DEFAULT}


def test_each_value_says_where_it_comes_from(monkeypatch, tmp_path):
    (tmp_path / "authserver.toml").write_text('issuer = "http://localhost:1"\nworkers = 3\nthreads = 8\n')
    monkeypatch.setenv("AUTHSERVER_HOME", str(tmp_path))
    monkeypatch.setenv("AUTHSERVER_ISSUER", "http://localhost:2")
    monkeypatch.setenv("authserver_bind", "127.0.0.1:9")
    settings = load()
    found = {name: (line.value, line.source) for name, line in lines_of(settings).items()}
    assert found["issuer"] == ("http://localhost:2", Source.ENVIRONMENT)
    assert found["bind"] == ("127.0.0.1:9", Source.ENVIRONMENT)
    assert found["workers"] == ("3", Source.FILE)
    assert found["threads"] == ("8", Source.FILE), "what the file says, even if it is what is built in"
    assert found["log_level"] == ("INFO", Source.DEFAULT)
    assert settings.file == tmp_path / "authserver.toml"
    assert Settings().file is None


SECRET_WORDS = ("secret", "password", "token", "key", "credential")
NO_SECRETS = {
    "access_token_lifetime",
    "access_token_algorithm",
    "refresh_token_lifetime",
    "next_key_lead",
    "key_rotation_days",
    "previous_key_encryption_keys",  # a list: each of it is one
    "own_tokens_per_client",
    "password_hash_slots",
    "audit_webhook_secret_file",
    "notice_webhook_secret_file",
    "mail_password_file",
    "breached_passwords_file",
    "metrics_token_file",
}


def test_what_sounds_like_a_secret_is_kept_as_one():
    """A new setting of such a name is a `SecretStr`, or stands in this list because it is none."""
    sounding = {name for name in Settings.model_fields if any(word in name for word in SECRET_WORDS)}
    kept = {name for name in sounding if isinstance(getattr(Settings(), name), SecretStr)}
    assert sounding - kept <= NO_SECRETS


def test_no_secret_is_told(tmp_path):
    settings = Settings(
        home=tmp_path,
        key_encryption_key=SecretStr("hidden-key"),
        previous_key_encryption_keys=[SecretStr("hidden-former")],
        database_url="postgresql+psycopg://ann:hidden-word@db.example/auth?password=hidden-too",
        audit_webhook="https://hooks.example/services/hidden-path?hidden=1",
        audit_webhook_secret=SecretStr("hidden-" * 5),
    )
    found = lines_of(settings)
    assert "hidden" not in str([line.value for line in found.values()])
    assert found["key_encryption_key"].value == "set"
    assert found["previous_key_encryption_keys"].value == "set"
    assert found["database_url"].value == "postgresql+psycopg://ann:…@db.example/auth?…"
    assert found["audit_webhook"].value == "https://hooks.example/…?…"
    for odd in ("ann:hid/den@", "ann:hid?den@", "ann:hid#den@", "ann:hid@den:x@", "ann:@hidden@", "ann:hidden"):
        url = (
            f"postgresql+psycopg://{odd}db.example/auth"
            if "@" in odd
            else "postgresql+psycopg:///auth?user=ann&p=hidden"
        )
        shown = lines_of(settings.model_copy(update={"database_url": url}))["database_url"].value
        assert "hid" not in shown
        assert "den" not in shown
    assert lines_of(Settings())["key_encryption_key"].value == "not set"
    assert lines_of(Settings())["registration_redirect_hosts"].value == "none"


def test_the_url_of_the_database_may_be_in_a_file(tmp_path):
    secret = tmp_path / "url"
    secret.write_text("postgresql://db/authserver\n")
    found = Settings(database_url_file=str(secret))
    assert (found.url_of_database, found.url_of_migrations) == ("postgresql://db/authserver",) * 2
    assert Settings(migration_database_url="postgresql://direct/a").url_of_migrations == "postgresql://direct/a"


@pytest.mark.parametrize("more", [{}, {"database_url": "sqlite:////x"}])
def test_a_file_without_the_url_of_the_database_is_named_at_start(tmp_path, more):
    (tmp_path / "empty").touch()
    for file in ("empty", "missing") if not more else ("empty",):
        with pytest.raises(ValidationError, match="database_url_file"):
            Settings(database_url_file=str(tmp_path / file), **more)
