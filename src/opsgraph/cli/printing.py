"""What commands print: tables for people at a terminal, lines that scripts read anywhere else, and JSON."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any, NamedTuple

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from opsgraph.kernel.text import printable

SEVERITY_STYLES = {"CRITICAL": "bold red", "HIGH": "red", "MEDIUM": "yellow", "LOW": "cyan", "INFO": "dim"}
STATUS_STYLES = {"OPEN": "red", "ACKNOWLEDGED": "yellow", "IN_PROGRESS": "cyan", "RESOLVED": "green", "FIRING": "red"}
_GAP = "  "


class Cell(NamedTuple):
    """A cell of a table.

    Attributes:
        text: what it says; escaped when it is printed.
        style: its colour at a terminal.
    """

    text: str
    style: str = ""


Row = Sequence[Cell | str]


def at_terminal() -> bool:
    """Whether a person reads what is printed."""
    return sys.stdout.isatty()


def print_json(value: Any, indent: int | None = 2) -> None:
    """Print JSON in which nothing can break a line or steer a terminal."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    typer.echo("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


def print_table(titles: Sequence[str], rows: Sequence[Row]) -> None:
    """Print rows: as wide and as colourful as the terminal is, else a line each that is never wrapped or coloured.

    The last column has texts of any length: a terminal wraps it, and it alone keeps its line breaks there.
    """
    if at_terminal():
        Console().print(_table(titles, rows))
        return
    lines = [list(titles), *([printable(_cell(cell).text) for cell in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*(line[:-1] for line in lines), strict=True)]
    for line in lines:
        typer.echo(_GAP.join(_padded(text, width) for text, width in zip_longest(line, widths)))


def instant(text: str, *, seconds: bool = True) -> str:
    """An instant of the API: in the terminal's zone for people, unchanged for scripts."""
    if not at_terminal():
        return text
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def styled(text: str, styles: dict[str, str]) -> Cell:
    """A word in its colour."""
    return Cell(text, styles.get(text, ""))


def _table(titles: Sequence[str], rows: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in titles[:-1]:
        table.add_column(title, no_wrap=True)
    table.add_column(titles[-1], overflow="fold")
    for row in rows:
        *cells, last = map(_cell, row)
        # Texts, because in plain strings [brackets] and :colons: would be markup.
        texts = [Text(printable(cell.text), cell.style) for cell in cells]
        table.add_row(*texts, Text("\n".join(map(printable, last.text.splitlines())), last.style))
    return table


def _cell(cell: Cell | str) -> Cell:
    return cell if isinstance(cell, Cell) else Cell(cell)


def _padded(text: str, width: int | None) -> str:
    return text if width is None else text + " " * (width - cell_len(text))
