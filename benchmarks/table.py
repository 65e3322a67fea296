"""The table that every benchmark ends with: measured ratios beside their limits."""

import os
from typing import NamedTuple

from rich.console import Console
from rich.table import Table


def heading() -> str:
    """Name the CPU, what it can do and what else it does, e.g. "..., 2 cores, load 1.2"."""
    # It loads TensorFlow, which benchmarks.cold_start must not have while it measures.
    from rts_tf.networks.cpu import described

    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{described()}, {os.cpu_count()} cores{load}"


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
    """Print the machine, and the ratios beside their limits and whether they keep them."""
    print(heading())
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
