"""What a run shows people: ``report.html``, one page that works from ``file://``.

Knows arrays and dicts alone. The page has no external requests: pictures are data URIs, the curves are inline SVG. Its
frame is ``web/report.html.template``; everything put into it is escaped here.

The keys of ``summary`` are those of ``summary.json``, which ``recurrence.py`` writes.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from rts_tf.report.figures import change_curve, mos_curve
from rts_tf.report.slider import data_uri, page, slider
from rts_tf.report.tables import (
    ARTIFACTS,
    TABLE_1,
    TABLE_2,
    TRAINING,
    duration,
    html_table,
    mark,
    meanings,
    rows_of_table2,
    table,
)


@dataclass(frozen=True)
class Strip:
    """One crop through the stages, a row of Fig. 5."""

    name: str  # of the picture
    crops: tuple[
        np.ndarray, ...
    ]  # uint8 HxWx3 of equal sizes (the paper: 64x64), HR_0 first, then HR_1 .. HR_n


def write_report(
    path: Path, summary: dict, strips: Sequence[Strip], before: np.ndarray, after: np.ndarray
) -> None:
    """Write the page of the run to ``path``; an older page stays whole until the new one is.

    Args:
        path: the HTML file; its directory exists.
        summary: the run, as in ``summary.json``; at least one stage.
        strips: crops through the stages (Fig. 5); may be empty.
        before: uint8 HxWx3, a validation picture, HR_0.
        after: uint8 HxWx3, the same picture at the selected stage.

    Raises:
        ValueError: arrays of another type, or of sizes that do not match.
        OSError: the page cannot be written.
    """
    html = _page(summary, strips, before, after)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        unfinished.write_text(html, encoding="utf-8")
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _page(summary: dict, strips: Sequence[Strip], before: np.ndarray, after: np.ndarray) -> str:
    selected = summary["selected_stage"]
    texts = "The original, HR0", f"The same picture, HR{selected}"
    return page(
        "report.html.template",
        network=escape(summary["network"]),
        parameters=f"{summary['parameters']:,}",
        preset=escape(summary["preset"]),
        stages=len(summary["stages"]),
        training_pictures=_count(summary["training_pictures"], "photograph"),
        validation_pictures=_count(summary["validation_pictures"], "other"),
        duration=duration(summary["seconds"]),
        memory=f"{summary['peak_memory_mb'] / 1000:.1f} GB",
        selected=selected,
        selected_because=escape(summary["selected_because"]),
        stopped_because=escape(summary["stopped_because"]),
        slider=slider(before, after, ("original", f"HR{selected}"), texts),
        table_1=table(TABLE_1, summary["stages"], selected),
        table_1_meanings=meanings(TABLE_1),
        curve=change_curve(summary["stages"], selected),
        quality=_quality(summary),
        strips=_strips(strips, selected),
        training=table(TRAINING, summary["stages"], selected),
        training_meanings=meanings(TRAINING),
        settings=_settings(summary["config"]),
    )


def _quality(summary: dict) -> str:
    """The sections of Table 2 and Fig. 6, or why there are none."""
    if not summary["originals"]:
        return "<h2>Table 2: MOS</h2>\n<p>Not measured: " + escape(summary["judged_by"]) + ".</p>"
    rows, selected = rows_of_table2(summary), summary["selected_stage"]
    return f"""<h2>Table 2: what VIQET says</h2>
<p class="quiet">Means over the validation pictures, 8 bits, whole. MOS is mostly sharpness, which an unsharp mask can buy too:
read it with the table below.</p>
<div class="scroll numbers">{table(TABLE_2, rows, selected)}</div>
<dl class="meanings">
{meanings(TABLE_2)}
</dl>
</section>

<section>
<h2>What MOS cannot see</h2>
<p class="quiet">What the sharpness costs, measured against the original, and in brackets what it costs when bought with an
unsharp mask of the same MOS.</p>
<div class="scroll numbers">{table(ARTIFACTS, rows, selected)}</div>
<dl class="meanings">
{meanings(ARTIFACTS[1:])}
</dl>
</section>

<section>
<h2>MOS through the stages (Fig. 6)</h2>
<div class="scroll curve">{mos_curve(summary["originals"], summary["stages"], selected)}</div>"""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _settings(config: dict) -> str:
    return "\n".join(
        f"<dt>{escape(str(name))}</dt><dd>{escape(str(value)) or '–'}</dd>"
        for name, value in config.items()
    )


def _strips(strips: Sequence[Strip], selected: int) -> str:
    """Fig. 5: a row of enlarged crops per picture under one line of column headings."""
    if not strips:
        return "No crops were kept."
    most = max(len(strip.crops) for strip in strips)
    enlarge = (
        4 if most <= 4 else 3
    )  # whole factors keep the pixels square; five columns at 3x fill the page
    names = ["original", *(f"HR{stage}" for stage in range(1, most))]
    headings = "".join(
        f'<th scope="col"{mark(stage, selected)}>{name}</th>' for stage, name in enumerate(names)
    )
    rows = []
    for strip in strips:
        if len({crop.shape for crop in strip.crops}) != 1:
            raise ValueError(f"the crops of {strip.name} must be of one size")
        height, width = (side * enlarge for side in strip.crops[0].shape[:2])
        name = escape(strip.name)
        cells = "".join(
            f'<td><img src="{data_uri(crop)}" width="{width}" height="{height}" alt="{name}, HR{stage}"></td>'
            for stage, crop in enumerate(strip.crops)
        )
        rows.append(f'<tr><th scope="rowgroup" colspan="{most}">{name}</th></tr>\n<tr>{cells}</tr>')
    return html_table(headings, rows)
