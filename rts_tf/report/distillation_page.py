"""Writes the report of a distillation: its table as text and as HTML, and a before/after slider."""

from pathlib import Path

import numpy as np

from rts_tf.report.columns import (
    Column,
    beside_unsharp,
    duration,
    number,
    optional,
)
from rts_tf.report.run_page import settings_list
from rts_tf.report.slider import slider
from rts_tf.report.tables import meanings, table
from rts_tf.report.templates import page, text
from rts_tf.report.text_table import text_table
from rts_tf.storage import write_text

COLUMNS = (
    Column("way", lambda row: row["name"], "what enhances luma; integers: the network in 8 bits."),
    Column(
        "energy",
        number("energy", 4),
        "the share of the energy of the teacher's change that is kept, on inputs as codecs leave"
        " them: 1 - |way - teacher|^2 / |input - teacher|^2.",
        short="share of the teacher's change that is kept",
    ),
    Column(
        "above linear",
        number("above_linear", 3),
        "the share of what the best linear filter leaves; a network is worth what it has of it.",
        short="share of what the best linear filter leaves",
    ),
    Column(
        "grid step",
        number("grid_step"),
        "the step of luma at the edges of 8x8 blocks in those inputs, in levels.",
        short="step at the edges of 8x8 blocks, in levels",
        extra=True,
    ),
    Column(
        "MOS gain",
        optional("mos_gain", 3),
        "VIQET's MOS above that of the images as they are.",
        short="score by VIQET above that of the images as they are",
        key="mos",
    ),
    Column(
        "flat noise",
        beside_unsharp("flat_noise_gain", 2),
        "the factor on noise in flat areas; in brackets, that of an unsharp mask of equal MOS.",
        short="factor on the noise of flat areas (that of an unsharp mask of equal MOS)",
        key="mos",
    ),
    Column(
        "overshoot",
        beside_unsharp("overshoot_levels", 2),
        "how far edges overshoot, in levels; in brackets, that of the mask.",
        short="halos, in 8-bit levels (those of the mask)",
        key="mos",
    ),
    Column(
        "diagonal dB",
        beside_unsharp("corner_gain_db", 1),
        "the gain at the high-frequency diagonal of the spectrum; in brackets, that of the mask.",
        short="gain of the finest detail (that of the mask)",
        extra=True,
        key="mos",
    ),
)


def distillation_table(summary: dict, wide: bool = False) -> str:
    """The table of a distillation as plain text (:mod:`rts_tf.report.text_table`)."""
    return text_table(COLUMNS, summary["rows"], wide=wide)


def write_distillation_report(
    path: Path, summary: dict, before: np.ndarray, after: np.ndarray
) -> None:
    """Write the page. The page that was there stays until the new one is complete.

    Args:
        path: The HTML file. Its directory exists.
        summary: See :func:`rts_tf.distillation.measures.judge`.
        before: An input, uint8 [H, W, 3].
        after: The same enhanced.

    Raises:
        OSError: The page cannot be written.
    """
    columns = _columns(summary)
    texts = "an input of the validation images", "the same, enhanced"
    html = page(
        "distillation.html.template",
        network=text(summary["network"]),
        teacher=text(summary["teacher"]),
        parameters=f"{summary['parameters']:,}",
        macs=f"{summary['macs_per_pixel']:,}",
        duration=duration(summary["training_seconds"]),
        inputs=summary["inputs"],
        images=summary["images"],
        slider=slider(before, after, ("input", "enhanced"), texts),
        table=table(columns, summary["rows"], selected=0),
        meanings=meanings(columns),
        settings=settings_list(summary["config"]),
    )
    write_text(path, html)


def _columns(summary: dict) -> tuple[Column, ...]:
    """The columns that were measured."""
    has_mos = any("mos" in row for row in summary["rows"])
    return COLUMNS if has_mos else COLUMNS[:4]
