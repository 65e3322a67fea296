"""Writes the results of an experiment: NAME.json, NAME.md and NAME_*.png, side by side.

The JSON file holds all figures, the Markdown file is what people read.
"""

import json
import pathlib
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from rts_tf.storage import atomic_path, write_text

DPI = 110  # a figure 9 inches wide stays below 300 KB


def save(
    output: str | pathlib.Path,
    name: str,
    record: dict[str, Any],
    markdown: str,
    figures: dict[str, Figure] | None = None,
) -> None:
    """Write the results of experiment ``name`` to the folder ``output``, and print the Markdown.

    Args:
        output: The folder; made if it is not there.
        name: The name of the experiment's module.
        record: JSON types. By custom it holds ``command`` (to type again), ``settings`` (of the
            runs) and ``seconds``, then the figures.
        markdown: The text to read.
        figures: Drawings by what they show; each is written as ``NAME_WHAT.png``.

    Raises:
        OSError: The folder cannot be made or written to.
    """
    folder = pathlib.Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    for what, figure in (figures or {}).items():
        with atomic_path(folder / f"{name}_{what}.png") as temporary:
            figure.savefig(temporary, dpi=DPI)
    write_text(folder / f"{name}.json", json.dumps(record, indent=1) + "\n")
    write_text(folder / f"{name}.md", markdown)
    print(f"\n{markdown}\nwritten: {folder / name}.json, .md" + (" and .png" if figures else ""))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format a Markdown table whose first column is text and whose other columns are figures."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def bullets(lines: Sequence[str]) -> str:
    """Format a Markdown list, without a line break at its end."""
    return "\n".join(f"- {line}" for line in lines)
