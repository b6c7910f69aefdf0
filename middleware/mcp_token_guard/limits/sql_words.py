"""SQL by its words, before any parser sees it: the narrow part of the language in which all readers agree.

No comments, no backslashes, no dollar quotes, no prefixed strings, no second statement, ASCII outside quotes; no word
that writes or locks; and whatever is followed by a parenthesis is either a word of the grammar, or a function that is
known to be harmless, called by its plain name. A query that passes cannot write, whatever a parser makes of it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST_DEPTH = 25
TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<string>'(?:[^'\\\0]|'')*')"
    r'|(?P<quoted>"(?:[^"\\\0]|"")+")'
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>(?!--|/\*)[-+*/%<>=!|.,():~])"
)
WRITING = frozenset({"insert", "update", "delete", "merge", "into", "for", "returning", "recursive"})


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GRAMMAR = _words(
    """
    all and any array as between by case cast cross cube distinct else except exists fetch filter first following from
    full group grouping having ilike in inner intersect interval is join lateral like limit materialized next not
    offset on or order outer over partition preceding rollup row rows select sets similar some then to union using
    values when where with within
    bit char character decimal float numeric time timestamp varchar
    """
)
"""What may stand before a parenthesis and calls nothing: words of the grammar, and types that have a length."""
HARMLESS = _words(
    """
    abs age array_agg array_length avg bool_and bool_or btrim cardinality ceil ceiling char_length coalesce concat
    concat_ws count cume_dist date date_part date_trunc datetime dense_rank every extract first_value floor greatest
    group_concat ifnull iif initcap instr json_agg json_array_length json_extract json_type jsonb_agg
    jsonb_array_length julianday lag last_value lead least left length lower ltrim make_date max min mod now
    nth_value ntile nullif percent_rank percentile_cont percentile_disc position power rank replace reverse right
    round row_number rtrim sign split_part sqrt starts_with stddev strftime string_agg strpos substr substring sum
    time to_char to_date to_timestamp total trim trunc typeof unixepoch upper variance
    """
)
"""Functions of PostgreSQL and SQLite that neither write, nor wait, nor reach outside; costs are not looked at."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query: its kind, and its text in lower case."""

    kind: str
    text: str


class Doubtful(ValueError):
    """The query leaves the part of the language that is understood here."""


def check(text: str, functions: frozenset[str]) -> None:
    """Refuse *text* unless it is one query that calls none but *functions*. Raises `Doubtful`."""
    found = list(tokens(text))
    if not found or _first_word(found) not in ("select", "with"):
        raise Doubtful("a query begins with SELECT or WITH")
    if any(token.kind == "word" and token.text in WRITING for token in found):
        raise Doubtful("a word that writes or locks")
    depth = 0
    before = [Token("", ""), *found]
    for number, token in enumerate(found):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if not 0 <= depth <= MOST_DEPTH:
            raise Doubtful("parentheses too deep, or more closed than opened")
        if token.text == "(":
            _check_call(before[number], before[number - 1] if number else Token("", ""), functions)


def tokens(text: str) -> Iterator[Token]:
    """The tokens of *text* without its spaces and one semicolon at the end. Raises `Doubtful`."""
    text = text.rstrip(" \t\r\n").removesuffix(";")
    position, previous = 0, "space"
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise Doubtful("a character, comment or quotation that has no place in a plain query")
        kind = str(match.lastgroup)
        if kind not in ("space", "sign") and previous not in ("space", "sign"):
            raise Doubtful("a prefixed string, or two words in one")
        if kind != "space":
            yield Token(kind, match.group().lower())
        position, previous = match.end(), kind


def _first_word(found: list[Token]) -> str:
    return next((token.text for token in found if token.text != "("), "")


def _check_call(name: Token, before: Token, functions: frozenset[str]) -> None:
    """Look at what stands in front of a parenthesis, and in front of that."""
    if name.kind == "sign" or not name.kind:
        return
    if name.kind == "word" and before.text != "." and (name.text in GRAMMAR or name.text in functions):
        return
    raise Doubtful("a function that is not among the harmless ones")
