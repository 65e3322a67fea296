"""Lays out plain-text tables that fit a terminal of 80 columns, each with a legend in plain words.

Columns that are less often asked for are left out unless the user wants all of them, and long names
of files are shortened in the middle.
"""

import textwrap
from collections.abc import Mapping, Sequence

from rich.cells import cell_len

from rts_tf.report.columns import Column

WIDTH = 80  # columns of a terminal
NARROWEST = 12  # columns that names get in any case
_GAP = "  "
_DOTS = "..."  # every terminal has them, unlike the ellipsis
_SELECTED = "  <- selected"


def text_table(
    columns: Sequence[Column], rows: Sequence[Mapping], *, selected: int = 0, wide: bool = False
) -> str:
    """Return a table and, below it, its legend.

    The first column is aligned at its left, the others at their right.

    Args:
        columns: Those that no row has a value for are left out.
        rows: One line each.
        selected: The number of the stage whose row gets a mark.
        wide: Show the extra columns too, and all names whole. Such a table may be wider than
            ``WIDTH``. The legend never is.
    """
    known = [column for column in columns if _has_values(column, rows)]
    shown = [column for column in known if wide or not column.extra]
    cells = [[column.heading for column in shown]]
    cells += [[column.cell(row) for column in shown] for row in rows]
    marks = ["", *(_SELECTED if selected and row.get("stage") == selected else "" for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    if not wide:
        taken = sum(len(_GAP) + width for width in widths[1:]) + max(map(len, marks))
        widths[0] = min(widths[0], max(NARROWEST, WIDTH - taken))
    lines = [_line(line, widths) + mark for line, mark in zip(cells, marks, strict=True)]
    hidden = [column.heading for column in known if column not in shown]
    return "\n".join([*(line.rstrip() for line in lines), *_legend(shown, hidden)])


def shortened(name: str, most: int) -> str:
    """``name`` in at most ``most`` columns of a terminal, with dots in its middle if need be."""
    if cell_len(name) <= most:
        return name
    start = end = name
    room = most - len(_DOTS)
    while cell_len(end) > (room + 1) // 2:
        end = end[1:]
    while cell_len(start) > room // 2:
        start = start[:-1]
    return f"{start}{_DOTS}{end}"


def _has_values(column: Column, rows: Sequence[Mapping]) -> bool:
    return not column.key or any(column.key in row for row in rows)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = cells
    first = shortened(first, widths[0])
    texts = [first + " " * (widths[0] - cell_len(first))]
    for cell, width in zip(others, widths[1:], strict=True):
        texts.append(" " * (width - cell_len(cell)) + cell)
    return _GAP.join(texts)


def _legend(shown: Sequence[Column], hidden: Sequence[str]) -> list[str]:
    """What the columns mean, and which ones there are beside them, in lines of a terminal."""
    text = "; ".join(f"{column.heading}: {column.short}" for column in shown if column.short)
    text += "." if text else ""
    if hidden:
        text += f" `wide` adds {', '.join(hidden)}."
    return textwrap.wrap(text.strip(), WIDTH, break_long_words=False, break_on_hyphens=False)
