"""Fields for passwords: hidden while they are typed, and open to paste and to password managers."""

import re
from pathlib import Path

import pytest

import authserver

TEMPLATES = Path(authserver.__file__).parent / "templates"
FIELD = re.compile(r"<input\b[^>]*\bname=\"(?:password|new_password|repeated)\"[^>]*>")
FIELDS = [
    pytest.param(field, id=f"{path.relative_to(TEMPLATES)}-{number}")
    for path in sorted(TEMPLATES.rglob("*.html"))
    for number, field in enumerate(FIELD.findall(path.read_text()))
]


def test_there_are_such_fields():
    assert len(FIELDS) >= 5


@pytest.mark.parametrize("field", FIELDS)
def test_what_is_typed_there_is_hidden(field: str):
    assert 'type="password"' in field


@pytest.mark.parametrize("field", FIELDS)
def test_password_managers_and_paste_work_there(field: str):
    assert re.search(r'autocomplete="(current|new)-password"', field)
    assert not re.search(r"\bon[a-z]+=|readonly", field)
    assert 'maxlength="1024"' in field


def test_no_script_of_ours_looks_at_what_is_pasted():
    scripts = (TEMPLATES.parent / "static").glob("*.js")
    assert not any(re.search(r"paste|clipboard|keydown", script.read_text()) for script in scripts)
