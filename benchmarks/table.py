"""The table that every benchmark ends with: measured ratios beside their limits."""

from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Line(NamedTuple):
    """A measured ratio and its limit.

    Example: ``Line("forward / peak", 0.82, ">=", 0.70, "52.1 of 63.6 GFLOP/s")``.

    Attributes:
        what: what the ratio is of.
        ratio: the measured ratio.
        relation: ">=" or "<=": how the ratio should stand to the limit.
        limit: the limit.
        details: the measured values that the ratio comes from.
    """

    what: str
    ratio: float
    relation: str
    limit: float
    details: str


def show(title: str, lines: list[Line]) -> None:
    """Print the ratios beside their limits, and whether they keep them."""
    table = Table("figure", "ratio", "limit", "", "measured", title=title, title_justify="left")
    for line in lines:
        kept = line.ratio >= line.limit if line.relation == ">=" else line.ratio <= line.limit
        result = "pass" if kept else ("below" if line.relation == ">=" else "above")
        table.add_row(
            line.what,
            f"{line.ratio:.3f}",
            f"{line.relation} {line.limit:.2f}",
            result,
            line.details,
        )
    Console(width=120, highlight=False).print(table)
