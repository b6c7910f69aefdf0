"""Lists on the command line: a table with heads for people, one JSON object a line for programs."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import click

from .plain import plain

Line = TypeVar("Line")
Row = Sequence[str]
Facts = Mapping[str, Any]
GAP = "  "

as_objects = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
as_object = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


def show(
    lines: Iterable[Line], heads: Row, row: Callable[[Line], Row], facts: Callable[[Line], Facts], *, as_json: bool
) -> bool:
    """Print each line as *facts* tells it to programs, or as the *row* of a table; returns whether there was any.

    The text of a row may be anybody's: the terminal obeys none of it.
    """
    if not as_json:
        return table(heads, map(row, lines))
    shown = False
    for line in lines:
        shown = True
        click.echo(json.dumps(facts(line)))
    return shown


def table(heads: Row, rows: Iterable[Row]) -> bool:
    """Print *rows* under *heads*, each column as wide as its longest text; nothing, and False, if there is none."""
    told = [[plain(text) for text in row] for row in rows]
    if not told:
        return False
    lines = [[head.upper() for head in heads], *told]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo(GAP.join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
    return True


def facts_of(told: Facts) -> None:
    """Print what is known of one thing, a line for each fact that there is."""
    for name, value in told.items():
        if value not in ("", None, (), [], {}):
            click.echo(f"{plain(name)}: {plain(str(value))}")
