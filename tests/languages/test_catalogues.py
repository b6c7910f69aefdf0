"""Each language's catalogue has every text of the sources, translated and compiled, and nothing else."""

import re
from collections import defaultdict

import pytest

from authserver.protocol.msg import LANGUAGES
from tools.translations import compiled, forms, gathered, languages, read, untranslated, written

PLACE = re.compile(r"%\(\w+\)[sd]|\{\w*\}|</?\w+")
COUNTED = {"%(count)s", "%(num)d"}  # which a singular need not say


@pytest.fixture(scope="module", params=languages(), ids=lambda path: path.parts[-3])
def path(request):
    return request.param


@pytest.fixture
def catalogue(path):
    return read(path)


def test_every_language_but_english_has_a_catalogue():
    assert {path.parts[-3] for path in languages()} == set(LANGUAGES[1:])


def test_a_catalogue_has_the_texts_of_the_sources_and_no_others(catalogue):
    marked, known = ({one.id for one in texts if one.id} for texts in (gathered(), catalogue))
    assert (marked - known, known - marked) == (set(), set()), "make translations"
    assert not catalogue.obsolete


def test_every_text_is_translated(catalogue):
    assert untranslated(catalogue) == []


def test_a_translation_has_the_places_and_tags_of_its_text(catalogue):
    for text in catalogue:
        said = {place for form in forms(text.id) for place in PLACE.findall(form)}
        for form in forms(text.string) if text.id else ():
            assert said - COUNTED <= set(PLACE.findall(form)) <= said, form


def test_a_text_of_a_template_takes_its_values(catalogue):
    shown = [one for one in gathered() if any(name.endswith(".html") for name, _ in one.locations)]
    for form in (form for one in shown for form in forms(catalogue[one.id].string)):
        assert form % defaultdict(int)


def test_what_the_server_reads_is_what_people_edit(path, catalogue):
    assert path.read_bytes() == written(catalogue), "make translations"
    assert path.with_suffix(".mo").read_bytes() == compiled(catalogue), "make translations"
