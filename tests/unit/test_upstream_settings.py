"""Identity providers in the settings: checked at start, and told without their secrets."""

import tomllib
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from authserver.protocol.role import Role
from authserver.settings import Settings
from authserver.settings.told import told
from authserver.settings.upstream import Upstream

TABLE = {"id": "corp", "name": "Corp", "issuer": "https://idp.example", "client_id": "us"}


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "Corp"},
        {"id": "a/b"},
        {"id": ""},
        {"name": ""},
        {"kind": "saml"},
        {"issuer": ""},
        {"issuer": "http://idp.example"},
        {"client_id": ""},
        {"domains": ["Corp.example"]},
        {"domains": ["corp"]},
        {"trusted_domains": ["*.example"]},
        {"trusted_domains": ["ada@corp.example"]},
        {"roles": {"a": "king"}},
        {"client_secret": "a", "client_secret_file": __file__},
        {"client_secret_file": "/nowhere/at/all"},
        {"kind": "github"},
        {"kind": "github", "client_secret": "a", "issuer": "https://ghe.example/"},
        {"unknown": 1},
    ],
    ids=str,
)
def test_a_table_that_is_not_right_does_not_start(changes):
    with pytest.raises(ValidationError):
        Settings(upstream=[{**TABLE, **changes}])


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://other.example"},
        {"id": "other"},
        {"id": "other", "issuer": "https://other.example", "domains": ["corp.example"]},
    ],
)
def test_two_tables_are_of_two_providers(changes):
    with pytest.raises(ValidationError):
        Settings(upstream=[{**TABLE, "domains": ["corp.example"]}, {**TABLE, **changes}])


def test_the_example_of_the_docs_is_valid(tmp_path: Path):
    page = (Path(__file__).parents[2] / "docs" / "sign-in.md").read_text()
    lines = page[page.index("    [[upstream]]") :].split("\n\n")[0].splitlines()
    found = tomllib.loads("\n".join(lines))
    (tmp_path / "secret").write_text("s3cret\n")
    found["upstream"][0]["client_secret_file"] = str(tmp_path / "secret")
    (corp,) = Settings(**found).upstream
    assert (corp.secret, corp.role(["helpdesk", "x"]), corp.role([])) == ("s3cret", Role.SUPPORT, Role.MEMBER)


def test_the_console_is_told_of_a_provider_without_its_secret():
    settings = Settings(upstream=[{**TABLE, "client_secret": "s3cret"}])
    lines = {line.name: line.value for lines in told(settings).values() for line in lines}
    assert lines["upstream"] == "corp (https://idp.example)"
    assert "s3cret" not in repr(settings)


def test_without_roles_in_the_settings_none_is_given():
    assert Upstream(id="a", name="A", issuer="https://a.example", client_id="us").role(["admins"]) is None
    assert Upstream(**TABLE, client_secret=SecretStr("a")).has_secret
