"""The table that every benchmark ends with, and how it takes the time."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table


class Line(NamedTuple):
    """A measured ratio and its limit, e.g. Line("forward / peak", 0.82, ">=", 0.70, "52.1 of 63.6 GFLOP/s")."""

    what: str
    ratio: float
    relation: str  # ">=" or "<="
    limit: float
    details: str


class Seconds(NamedTuple):
    """What one call took: by the clock, and of all processors together (other programs hardly touch the second)."""

    clock: float
    processor: float


def now() -> np.ndarray:
    """The two clocks, as ``Seconds``, for differences."""
    return np.array([time.perf_counter(), time.process_time()])


def seconds_of(function: Callable[[], object]) -> Seconds:
    """Call ``function`` and take the time."""
    began = now()
    function()
    return Seconds(*(now() - began))


def show(title: str, lines: list[Line]) -> None:
    """Print the figures beside their limits."""
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
