"""Writes ``report.html``, the page that shows a run: sliders, tables, curves and crops.

The page is one file that works from ``file://`` and makes no requests. Images are data URIs, and
the curves are inline SVG. Its frame is ``web/report.html.template``; everything that goes into it
is escaped here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rts_tf.report.columns import ARTIFACTS, TABLE_1, TABLE_2, TRAINING, duration
from rts_tf.report.figures import change_curve, mos_curve
from rts_tf.report.slider import data_uri, slider
from rts_tf.report.tables import class_of, html_table, meanings, rows_of_table2, table
from rts_tf.report.templates import fill, page, text
from rts_tf.storage import write_text


@dataclass(frozen=True)
class Strip:
    """One crop through the stages, a row of Fig. 5.

    Attributes:
        name: The name of the image.
        crops: HR_0, HR_1, ..., uint8 [H, W, 3] of one size (the paper: 64x64).
    """

    name: str
    crops: tuple[np.ndarray, ...]


def write_report(
    path: Path, summary: dict, strips: Sequence[Strip], before: np.ndarray, after: np.ndarray
) -> None:
    """Write the page of a run. The page that was there stays until the new one is complete.

    Args:
        path: The HTML file. Its directory exists.
        summary: The contents of ``summary.json`` (:mod:`rts_tf.training.summary`), with at least
            one stage.
        strips: Crops through the stages (Fig. 5); may be empty.
        before: HR_0 of a validation image, uint8 [H, W, 3].
        after: The same image after the selected stage.

    Raises:
        ValueError: An array has another type, or sizes do not match.
        OSError: The page cannot be written.
    """
    write_text(path, _page(summary, strips, before, after))


def _page(summary: dict, strips: Sequence[Strip], before: np.ndarray, after: np.ndarray) -> str:
    selected = summary["selected_stage"]
    texts = "The original, HR0", f"The same image, HR{selected}"
    return page(
        "report.html.template",
        network=text(summary["network"]),
        parameters=f"{summary['parameters']:,}",
        preset=text(summary["preset"]),
        stages=len(summary["stages"]),
        training_images=_count(summary["training_images"], "image"),
        validation_images=_count(summary["validation_images"], "other"),
        duration=duration(summary["seconds"]),
        memory=_memory(summary["peak_memory_mb"]),
        selected=selected,
        selected_because=text(summary["selected_because"]),
        stopped_because=text(summary["stopped_because"]),
        slider=slider(before, after, ("original", f"HR{selected}"), texts),
        table_1=table(TABLE_1, summary["stages"], selected),
        table_1_meanings=meanings(TABLE_1),
        curve=change_curve(summary["stages"], selected),
        quality=_quality(summary),
        strips=_strips(strips, selected),
        training=table(TRAINING, summary["stages"], selected),
        training_meanings=meanings(TRAINING),
        settings=settings_list(summary["config"]),
    )


def _memory(megabytes: float) -> str:
    """The peak memory, which is nan on systems that do not report it (Windows)."""
    return f"{megabytes / 1000:.1f} GB" if math.isfinite(megabytes) else "an unknown amount"


def _quality(summary: dict) -> str:
    """The sections of Table 2, the artifacts and Fig. 6, or why there are none."""
    if not summary["originals"]:
        return "<h2>Table 2: MOS</h2>\n<p>Not measured: " + text(summary["judged_by"]) + ".</p>"
    rows, selected = rows_of_table2(summary), summary["selected_stage"]
    return fill(
        "quality.html.template",
        table_2=table(TABLE_2, rows, selected),
        table_2_meanings=meanings(TABLE_2),
        artifacts=table(ARTIFACTS, rows, selected),
        artifacts_meanings=meanings(ARTIFACTS[1:]),
        curve=mos_curve(summary["originals"], summary["stages"], selected),
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def settings_list(config: dict) -> str:
    """Settings as the items of an HTML list."""
    return "\n".join(
        f"<dt>{text(name)}</dt><dd>{text(value) or '–'}</dd>" for name, value in config.items()
    )


def _strips(strips: Sequence[Strip], selected: int) -> str:
    """Fig. 5: a row of enlarged crops for each image, under one line of column headings."""
    if not strips:
        return "No crops were kept."
    most = max(len(strip.crops) for strip in strips)
    # Whole factors keep the pixels square. Five columns at 3x fill the page.
    enlarge = 4 if most <= 4 else 3
    names = ["original", *(f"HR{stage}" for stage in range(1, most))]
    headings = "".join(
        f'<th scope="col"{class_of(stage, selected)}>{name}</th>'
        for stage, name in enumerate(names)
    )
    rows = []
    for strip in strips:
        if len({crop.shape for crop in strip.crops}) != 1:
            raise ValueError(f"the crops of {strip.name} must be of one size")
        height, width = (side * enlarge for side in strip.crops[0].shape[:2])
        name, size = text(strip.name), f'width="{width}" height="{height}"'
        cells = "".join(
            f'<td><img src="{data_uri(crop)}" {size} alt="{name}, HR{stage}"></td>'
            for stage, crop in enumerate(strip.crops)
        )
        rows.append(f'<tr><th scope="rowgroup" colspan="{most}">{name}</th></tr>\n<tr>{cells}</tr>')
    return html_table(headings, rows)
