"""What a run shows people: Table 1 in the terminal, and ``report.html``, one page that works from ``file://``.

Knows arrays and dicts alone. The page has no external requests: pictures are data URIs, the curve is inline SVG. Its
frame, with style and script, is ``report.html.template`` beside this file; everything put into it is escaped here.

The keys of ``summary`` are those of ``summary.json``, which ``recurrence.py`` writes.
"""

import base64
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

PAPER_RATIO_PERCENT = (0.95, 1.35, 1.47, 1.48, 1.51, 1.55, 1.62, 1.76)  # Table 1, HR_1 .. HR_8, on DIV2K
LARGEST_EXACT = 2**20  # pixels; a larger picture goes into the page as JPEG, so that the page stays below some 5 MB
INK = "#010203"  # stands for the page's text colour in the SVG, which must follow light and dark mode


@dataclass(frozen=True)
class Strip:
    """One crop through the stages, a row of Fig. 5."""

    name: str  # of the picture
    crops: tuple[np.ndarray, ...]  # uint8 HxWx3 of equal sizes (the paper: 64x64), HR_0 first, then HR_1 .. HR_n


@dataclass(frozen=True)
class _Column:
    """One column of a table with a row per stage."""

    heading: str
    cell: Callable[[dict], str]  # from an entry of summary["stages"]
    meaning: str


def _signed(levels: float) -> str:
    return f"{round(levels, 2) + 0.0:+.2f}"  # + 0.0 turns -0.0 into 0.0


def _paper_ratio(stage: dict) -> str:
    number = stage["stage"]
    return f"{PAPER_RATIO_PERCENT[number - 1]:.2f}" if number <= len(PAPER_RATIO_PERCENT) else "–"


TABLE_1 = (
    _Column("stage", lambda stage: f"HR{stage['stage']}", "the pictures after so many stages; HR0 is as taken."),
    _Column(
        "ratio %",
        lambda stage: f"{stage['difference_ratio_percent']:.2f}",
        "how far the pictures have moved from the originals: mean |HRn − HR0| / 255 × 100.",
    ),
    _Column("paper %", _paper_ratio, "the ratio in the paper's Table 1, on the 100 validation pictures of DIV2K."),
    _Column(
        "delta %",
        lambda stage: f"{stage['delta_percent']:.2f}",
        "what this stage adds to the ratio: this row's ratio minus that of the row above (the paper's delta column).",
    ),
    _Column(
        "step %",
        lambda stage: f"{stage['step_difference_percent']:.2f}",
        "how much this stage changes the pictures: mean |HRn − HRn−1| / 255 × 100. Section 3.4 stops where it rises.",
    ),
    _Column(
        "alpha",
        lambda stage: f"{stage['alpha_mean']:.2f} ± {stage['alpha_std']:.2f}",
        "strength seen as unsharp masking (eq. 12): the least-squares factor of HRn − HR0 on HR0 − U(D(HR0)), "
        "mean ± deviation over the pictures. The paper's stage 1: 0.78 ± 0.10.",
    ),
    _Column(
        "drift",
        lambda stage: _signed(stage["brightness_drift_levels"]),
        "change of the mean brightness from HR0 to HRn, in 8-bit levels (of 255). It should stay near 0.",
    ),
    _Column(
        "net drift",
        lambda stage: _signed(stage["network_drift_levels"]),
        "the same for the network's own output, before the anchor puts the original's brightness back.",
    ),
    _Column(
        "unsharp %",
        lambda stage: f"{stage['unsharp_ratio_percent']:.2f}",
        "the ratio of an unsharp mask applied as many times: it goes on growing where stages should settle.",
    ),
)
TRAINING = (
    _Column("stage", lambda stage: str(stage["stage"]), "number of the stage."),
    _Column("steps", lambda stage: f"{stage['steps']:,}", "training steps of Phase A, one batch each."),
    _Column("final loss", lambda stage: f"{stage['final_loss']:#.3g}", "mean squared error at the end, pixels 0 to 1."),
    _Column("phase A", lambda stage: duration(stage["phase_a_seconds"]), "time to train the network of the stage."),
    _Column("phase B", lambda stage: duration(stage["phase_b_seconds"]), "time to make the next targets HRn with it."),
    _Column("weights", lambda stage: stage["weights_sha256"][:12], "start of the SHA-256 of the stage's weights."),
)


def duration(seconds: float) -> str:
    """Time for people: ``9.3 s``, ``3 min 51 s``, ``2 h 05 min``."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def table1(summary: dict) -> str:
    """Table 1 of the run as plain text, a line per stage, the paper's ratio beside it and the selected stage marked."""
    rows = [[column.heading for column in TABLE_1]]
    rows += [[column.cell(stage) for column in TABLE_1] for stage in summary["stages"]]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    for index, stage in enumerate(summary["stages"], start=1):
        if stage["stage"] == summary["selected_stage"]:
            lines[index] += "  <- selected"
    return "\n".join(lines)


def write_report(path: Path, summary: dict, strips: Sequence[Strip], before: np.ndarray, after: np.ndarray) -> None:
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
    page = _page(summary, strips, before, after)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        unfinished.write_text(page, encoding="utf-8")
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _page(summary: dict, strips: Sequence[Strip], before: np.ndarray, after: np.ndarray) -> str:
    if before.shape != after.shape:
        raise ValueError(f"before is {before.shape}, after {after.shape}: they must be of one size")
    template = resources.files("rts_tf").joinpath("report.html.template").read_text(encoding="utf-8")
    selected = summary["selected_stage"]
    return Template(template).substitute(
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
        before=_data_uri(before),
        after=_data_uri(after),
        width=before.shape[1],
        height=before.shape[0],
        table_1=_table(TABLE_1, summary["stages"], selected),
        table_1_meanings=_meanings(TABLE_1),
        curve=_curve(summary["stages"], selected),
        strips=_strips(strips, selected),
        training=_table(TRAINING, summary["stages"], selected),
        training_meanings=_meanings(TRAINING),
        settings=_settings(summary["config"]),
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _table(columns: Sequence[_Column], stages: Sequence[dict], selected: int) -> str:
    headings = "".join(f'<th scope="col">{escape(column.heading)}</th>' for column in columns)
    rows = []
    for stage in stages:
        first, *cells = (escape(column.cell(stage)) for column in columns)
        note = ' <span class="note">selected</span>' if stage["stage"] == selected else ""
        values = "".join(f"<td>{cell}</td>" for cell in cells)
        rows.append(f'<tr{_mark(stage["stage"], selected)}><th scope="row">{first}{note}</th>{values}</tr>')
    return _html_table(headings, rows)


def _html_table(headings: str, rows: Sequence[str]) -> str:
    return f"<table><thead><tr>{headings}</tr></thead>\n<tbody>\n" + "\n".join(rows) + "\n</tbody></table>"


def _mark(stage: int, selected: int) -> str:
    return ' class="selected"' if stage == selected else ""


def _meanings(columns: Sequence[_Column]) -> str:
    return "\n".join(f"<dt>{escape(column.heading)}</dt><dd>{escape(column.meaning)}</dd>" for column in columns)


def _settings(config: dict) -> str:
    return "\n".join(
        f"<dt>{escape(str(name))}</dt><dd>{escape(str(value)) or '–'}</dd>" for name, value in config.items()
    )


def _curve(stages: Sequence[dict], selected: int) -> str:
    """Fig. 4 as an SVG element: the stages settle, the repeated unsharp mask does not."""
    numbers = [stage["stage"] for stage in stages]
    paper = PAPER_RATIO_PERCENT[: max(numbers)]
    lines = (
        ("unsharp mask, repeated", "#2f9e62", "s-", [stage["unsharp_ratio_percent"] for stage in stages]),
        ("HRn from HR0 (ratio)", "#3b7fe0", "o-", [stage["difference_ratio_percent"] for stage in stages]),
        ("HRn from HRn−1 (step)", "#e08a1e", "o-", [stage["step_difference_percent"] for stage in stages]),
    )
    # Text stays text and the ids stay the same from run to run, so that two pages can be compared.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "rts", "font.size": 9}):
        figure = Figure(figsize=(6, 3.4), layout="constrained")
        axes = figure.add_subplot()
        axes.axvline(selected, color=INK, alpha=0.12, linewidth=9)
        axes.plot(range(1, len(paper) + 1), paper, ".:", color=INK, alpha=0.6, markersize=3, label="the paper's ratio")
        for label, colour, style, values in lines:
            axes.plot(numbers, values, style, color=colour, markersize=4, linewidth=1.6, label=label)
        axes.set(xlabel="stage", ylabel="mean change, % of full scale", xticks=numbers, ylim=(0, None))
        axes.margins(x=0.08)
        axes.grid(axis="y", color=INK, alpha=0.12, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set(color=INK, alpha=0.4)
        axes.tick_params(color=INK, labelcolor=INK)
        axes.xaxis.label.set_color(INK)
        axes.yaxis.label.set_color(INK)
        handles, labels = axes.get_legend_handles_labels()
        order = (1, 2, 3, 0)  # from the highest line down, the paper last
        handles, labels = [handles[i] for i in order], [labels[i] for i in order]
        axes.legend(handles, labels, frameon=False, labelcolor=INK, loc="upper left")
        file = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", transparent=True, metadata=nothing)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    label = "Change of the pictures against the stage; the values are in Table 1"
    return svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def _strips(strips: Sequence[Strip], selected: int) -> str:
    """Fig. 5: a row of enlarged crops per picture under one line of column headings."""
    if not strips:
        return "No crops were kept."
    most = max(len(strip.crops) for strip in strips)
    enlarge = 4 if most <= 4 else 3  # whole factors keep the pixels square; five columns at 3x fill the page
    names = ["original", *(f"HR{stage}" for stage in range(1, most))]
    headings = "".join(f'<th scope="col"{_mark(stage, selected)}>{name}</th>' for stage, name in enumerate(names))
    rows = []
    for strip in strips:
        if len({crop.shape for crop in strip.crops}) != 1:
            raise ValueError(f"the crops of {strip.name} must be of one size")
        height, width = (side * enlarge for side in strip.crops[0].shape[:2])
        name = escape(strip.name)
        cells = "".join(
            f'<td><img src="{_data_uri(crop)}" width="{width}" height="{height}" alt="{name}, HR{stage}"></td>'
            for stage, crop in enumerate(strip.crops)
        )
        rows.append(f'<tr><th scope="rowgroup" colspan="{most}">{name}</th></tr>\n<tr>{cells}</tr>')
    return _html_table(headings, rows)


def _data_uri(picture: np.ndarray) -> str:
    """uint8 HxWx3 -> data URI: PNG (exact), or, above ``LARGEST_EXACT``, JPEG 95 with full-size colour."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(f"a picture must be uint8 HxWx3, not {picture.dtype} {picture.shape}")
    height, width, _ = picture.shape
    kind, options = ("png", {}) if height * width <= LARGEST_EXACT else ("jpeg", {"quality": 95, "subsampling": 0})
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, **options)
    return f"data:image/{kind};base64," + base64.b64encode(file.getvalue()).decode("ascii")
