"""Names that are not what they seem (AZ-8)."""

import hypothesis
import pytest
from hypothesis import strategies as st

from authserver.protocol.registry import address, look_alike

BORROWED = [
    "Claude",
    "Сlаude",  # Cyrillic
    "Ꮯlaude",  # Cherokee
    "Cla\u200bude",  # zero-width space
    "Cla\u200dude",  # zero-width joiner
    "\u202eClaude",  # right-to-left override
    "Cla\ufe0fude",  # variation selector
    "Cla\u034fude",  # combining grapheme joiner
    "C l a u d e",
    "C-L-A-U-D-E",
    "CIaude",
    "C1aude",
    "ClaudeAI",
    "claudes",
    "MyClaude",
    "claude.ai",
    "Claude (verified)",
    "𝐂𝐥𝐚𝐮𝐝𝐞",
    "Ⓒⓛⓐⓤⓓⓔ",
    "🅲🅻🅰🆄🅳🅴",
    "🇨🇱🇦🇺🇩🇪",
    "ᴄʟᴀᴜᴅᴇ",
    "Ｃlaude",
    "Çlåüdé",
    "©laude",
    "¢£aud€",
    "Claude®",
    "x" * 190 + " Claude",
]


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize("name", BORROWED)
def test_a_borrowed_name_is_seen_however_it_is_spelt(name):
    assert look_alike.says(name, "Claude")


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize("name", ["Cloud", "Claudette", "Includes", "A client", "", "日本語", "Claud"])
def test_another_name_is_not_taken_for_it(name):
    assert not look_alike.says(name, "Claude")


@pytest.mark.parametrize(
    ("name", "word"), [("Precursor", "Cursor"), ("Cursory", "Cursor"), ("Applesauce", "Apple"), ("Laws", "AWS")]
)
def test_a_word_within_a_word_is_not_seen(name, word):
    assert not look_alike.says(name, word)


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize("name", ["Сlaude", "Notеs", "𝐍otes", "Ｎotes", "Ⓝotes", "Notes сор", "Αpp", "Ⅼaude"])
def test_letters_that_pass_for_others_are_seen(name):
    assert look_alike.has_strange_letters(name)


@pytest.mark.parametrize(
    "name",
    [
        "Notes",
        "Заметки",
        "Яндекс Browser",
        "日本語 Notes",
        "ノートアプリv2",
        "한국어app",
        "Ελληνικά",
        "Çafé",
        "Foo™",
        "Hawaiʻi",
    ],
)
def test_names_of_all_languages_are_not_strange(name):
    assert not look_alike.has_strange_letters(name)
    assert not look_alike.has_hidden(name)


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize(
    "hidden", ["\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\u034f", "\u3164", "\u00ad", "\ufe0f", "\U000e0101"]
)
def test_hidden_characters_are_seen(hidden):
    assert look_alike.has_hidden(f"No{hidden}tes")
    assert look_alike.has_hidden(f"{hidden}Notes")


def test_what_chooses_the_look_of_an_emoji_is_not_hidden():
    assert not look_alike.has_hidden("Notes ✨\ufe0f 1\ufe0f\u20e3")


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize(
    "name",
    ["Notes (verified)", "NotesVerified", "✓ Notes", "Notes ✅", "Оfficial Notes", "Trusted by an administrator"],
)
def test_a_name_that_claims_to_be_checked_is_seen(name):
    assert look_alike.claims_to_be_checked(name)


def test_a_name_that_says_the_opposite_claims_nothing():
    assert not look_alike.claims_to_be_checked("Unverified notes")


@hypothesis.given(st.text(max_size=300), st.sampled_from(["Claude", "VS Code", "x", ""]))
def test_any_text_is_judged_without_an_error(text, phrase):
    look_alike.has_hidden(text)
    look_alike.has_strange_letters(text)
    look_alike.claims_to_be_checked(text)
    assert phrase == "" or look_alike.says(phrase, phrase)
    assert not look_alike.says(text, "")
    assert "".join(address.split(text)) == text


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize(
    ("host", "parts"),
    [
        ("claude.ai", ("", "claude.ai")),
        ("claude.ai.evil.example", ("claude.ai.", "evil.example")),
        ("claude.ai.evil.co.uk", ("claude.ai.", "evil.co.uk")),
        ("claude.ai.evil.vercel.app", ("claude.ai.", "evil.vercel.app")),
        ("xn--clude-3ve.example", ("", "xn--clude-3ve.example")),
        ("a.xn--clude-3ve.example.", ("a.", "xn--clude-3ve.example.")),
        ("127.0.0.1", ("", "127.0.0.1")),
        ("::1", ("", "::1")),
        ("localhost", ("", "localhost")),
        ("cursor://a.b.c", ("", "cursor://a.b.c")),
    ],
)
def test_the_part_of_a_host_that_names_its_owner_stands_out(host, parts):
    assert address.split(host) == parts
