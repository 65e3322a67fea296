"""How an experiment's results are kept: NAME.json (all figures), NAME.md (what people read) and NAME_*.png, side by side."""

import json
import pathlib
from collections.abc import Sequence

from matplotlib.figure import Figure

from rts_tf.storage import atomic_path, write_text

DPI = 110  # a figure 9 inches wide stays below 300 KB


def save(
    output: str | pathlib.Path,
    name: str,
    record: dict,
    markdown: str,
    figures: dict[str, Figure] | None = None,
) -> None:
    """Write the results of experiment ``name`` below the folder ``output``, and print the Markdown.

    Args:
        record: JSON types. By custom ``command`` (to type again), ``settings`` (of its runs), ``seconds``, then the figures.
        figures: matplotlib figures by what they show; written as ``NAME_WHAT.png``.

    Raises:
        OSError: the folder cannot be made or written to.
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
    """A Markdown table; the first column is text, the others are figures."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
