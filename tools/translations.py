"""The catalogues of texts: gathered from templates and code, brought up to date, and compiled (`make translations`).

Texts are marked by ``_``, ``trans`` and ``ngettext`` in templates, by ``msg``, ``say`` and ``ngettext`` in code. Some
stand in data, whole: what causes of flow traces mean, what is known of clients, and what settings are for.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import check_and_call_extract_file
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from authserver.protocol.registry.known import registry
from authserver.protocol.trace.step import Step, Verdict
from authserver.protocol.trace.words import NEWER, WORDS
from authserver.settings import told as settings
from tools.owned_files import ROOT, owned_files

CATALOGUES = ROOT / "authserver" / "translations"
KEYWORDS = {"_": None, "gettext": None, "msg": None, "say": None, "ngettext": (1, 2)}
WIDTH = 120
HEAD = "# Kept by `make translations`: translate here, add texts where they stand."


class Texts(Catalog):
    """A catalogue with no more of a head than readers need: no dates and versions, which nobody could merge."""

    @property  # type: ignore[misc] # nobody writes to it
    def mime_headers(self) -> list[tuple[str, str]]:
        """The lines of the head."""
        head = [("Language", str(self.locale)), ("Plural-Forms", self.plural_forms)] if self.locale else []
        return [*head, ("MIME-Version", "1.0"), ("Content-Type", "text/plain; charset=utf-8")]


def gathered() -> Catalog:
    """All texts of the sources, without a translation."""
    found = Texts()
    for name, line, text in sorted(_marked(), key=lambda one: one[:2]):
        found.add(text, locations=[(name, line)])
    for name, text in _in_data():
        found.add(text, locations=[(name, 0)])
    return found


def languages() -> Iterator[Path]:
    """The catalogue of each language, as people edit it."""
    yield from sorted(CATALOGUES.glob("*/LC_MESSAGES/messages.po"))


def read(catalogue: Path) -> Catalog:
    """The *catalogue* of the language that its folder is named after."""
    with catalogue.open("rb") as file:
        found = read_po(file, locale=catalogue.parts[-3])
    kept = Texts(locale=found.locale, header_comment=HEAD, fuzzy=False)
    for one in found:
        if one.id:
            kept[one.id] = one
    return kept


def written(catalog: Catalog) -> bytes:
    """*catalog* as people edit it: without places in the sources, so that versions are easily merged."""
    made = io.BytesIO()
    write_po(made, catalog, no_location=True, sort_by_file=True, ignore_obsolete=True, width=WIDTH)
    return made.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """*catalog* as the server reads it."""
    made = io.BytesIO()
    write_mo(made, catalog)
    return made.getvalue()


def untranslated(catalog: Catalog) -> list[str]:
    """The texts that *catalog* has nothing for, or only a guess."""
    return [str(one.id) for one in catalog if one.id and (one.fuzzy or not all(forms(one.string)))]


def forms(text: object) -> tuple[str, ...]:
    """*text* of a catalogue, which has one form or, where it counts something, several."""
    return tuple(text) if isinstance(text, list | tuple) else (str(text or ""),)


def _marked() -> Iterator[tuple[str, int, str | tuple[str, ...]]]:
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    for path in [*owned_files(ROOT, ".py"), *owned_files(ROOT, ".html")]:
        found = check_and_call_extract_file(path, methods, options, None, KEYWORDS, (), False, dirpath=ROOT)
        for name, line, text, *_ in found:
            yield name, line, text


def _in_data() -> Iterator[tuple[str, str]]:
    for one in (*Step, *Verdict):
        yield "authserver/protocol/trace/step.py", one.value
    for words in (*WORDS.values(), NEWER):
        for text in filter(None, (words.happened, words.remedy)):
            yield "authserver/protocol/trace/words.py", text
    for client in registry().clients:
        for text in (*client.reset, *client.quirks):
            yield "authserver/protocol/registry/clients.toml", text
    for text in settings.texts():
        yield "authserver/settings/told.py", text


def main() -> int:
    """Bring every catalogue up to date and compile it; return 1 if one lacks texts, and print them."""
    texts, lacking = gathered(), []
    for catalogue in languages():
        catalog = read(catalogue)
        catalog.update(texts, no_fuzzy_matching=True, update_creation_date=False)
        catalogue.write_bytes(written(catalog))
        catalogue.with_suffix(".mo").write_bytes(compiled(catalog))
        lacking += [f"{catalogue.relative_to(ROOT)}: {text}" for text in untranslated(catalog)]
    print(*lacking, sep="\n", end="\n" if lacking else "")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
