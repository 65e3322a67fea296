"""The tables of a run, as text and as HTML: Table 1, Table 2, what MOS cannot see, and the training.

Knows dicts alone; everything put into HTML is escaped here. The keys are those of ``summary.json``, which recurrence.py writes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

PAPER_RATIO_PERCENT = (
    0.95,
    1.35,
    1.47,
    1.48,
    1.51,
    1.55,
    1.62,
    1.76,
)  # Table 1, HR_1 .. HR_8, on DIV2K


@dataclass(frozen=True)
class Column:
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
    Column(
        "stage",
        lambda stage: f"HR{stage['stage']}",
        "the pictures after so many stages; HR0 is as taken.",
    ),
    Column(
        "ratio %",
        lambda stage: f"{stage['difference_ratio_percent']:.2f}",
        "how far the pictures have moved from the originals: mean |HRn − HR0| / 255 × 100.",
    ),
    Column(
        "paper %",
        _paper_ratio,
        "the ratio in the paper's Table 1, on the 100 validation pictures of DIV2K.",
    ),
    Column(
        "delta %",
        lambda stage: f"{stage['delta_percent']:.2f}",
        "what this stage adds to the ratio: this row's ratio minus that of the row above (the paper's delta column).",
    ),
    Column(
        "step %",
        lambda stage: f"{stage['step_difference_percent']:.2f}",
        "how much this stage changes the pictures: mean |HRn − HRn−1| / 255 × 100. Section 3.4 stops where it rises.",
    ),
    Column(
        "alpha",
        lambda stage: f"{stage['alpha_mean']:.2f} ± {stage['alpha_std']:.2f}",
        "strength seen as unsharp masking (eq. 12): the least-squares factor of HRn − HR0 on HR0 − U(D(HR0)), "
        "mean ± deviation over the pictures. The paper's stage 1: 0.78 ± 0.10.",
    ),
    Column(
        "drift",
        lambda stage: _signed(stage["brightness_drift_levels"]),
        "change of the mean brightness from HR0 to HRn, in 8-bit levels (of 255). It should stay near 0.",
    ),
    Column(
        "net drift",
        lambda stage: _signed(stage["network_drift_levels"]),
        "the same for the network's own output, before the anchor puts the original's brightness back.",
    ),
    Column(
        "unsharp %",
        lambda stage: f"{stage['unsharp_ratio_percent']:.2f}",
        "the ratio of an unsharp mask applied as many times: it goes on growing where stages should settle.",
    ),
)
TRAINING = (
    Column("stage", lambda stage: str(stage["stage"]), "number of the stage."),
    Column(
        "steps", lambda stage: f"{stage['steps']:,}", "training steps of Phase A, one batch each."
    ),
    Column(
        "final loss",
        lambda stage: f"{stage['final_loss']:#.3g}",
        "mean squared error at the end, pixels 0 to 1.",
    ),
    Column(
        "phase A",
        lambda stage: duration(stage["phase_a_seconds"]),
        "time to train the network of the stage.",
    ),
    Column(
        "phase B",
        lambda stage: duration(stage["phase_b_seconds"]),
        "time to make the next targets HRn with it.",
    ),
    Column(
        "weights",
        lambda stage: stage["weights_sha256"][:12],
        "start of the SHA-256 of the stage's weights.",
    ),
)


def _figure(key: str, decimals: int = 1) -> Callable[[dict], str]:
    """The cell of a figure that may be missing."""
    return lambda row: "–" if row.get(key) is None else f"{row[key]:.{decimals}f}"


def _beside_mask(key: str, decimals: int) -> Callable[[dict], str]:
    """The figure, and in brackets that of the unsharp mask of equal MOS."""
    own, mask = _figure(key, decimals), _figure(f"unsharp_{key}", decimals)
    return lambda row: f"{own(row)} ({mask(row)})" if f"unsharp_{key}" in row else own(row)


_ROW = Column(
    "pictures",
    lambda row: row["name"],
    "HR0: as taken. LR, JPEG: HR0 compressed, at its own size (the paper's LR). LR, half size: what the network learns from, "
    "enlarged again by Lanczos. HRn: after n stages.",
)
TABLE_2 = (
    _ROW,
    Column(
        "MOS",
        _figure("mos_raw", 3),
        "VIQET's mean opinion score, before it is bounded to 1 .. 4.5. Mostly sharpness.",
    ),
    Column(
        "gain",
        _figure("mos_gain", 3),
        "MOS above that of HR0. The paper's: .137 .203 .232 .225 for HR1 to HR4.",
    ),
    Column(
        "edge",
        _figure("edge_acutance"),
        "multi-scale edge acutance: energy of the contours; 100 for good photographs.",
    ),
    Column(
        "noise",
        _figure("noise_signature_index"),
        "noise signature index, of the calmest hundredth of the picture.",
    ),
    Column(
        "texture",
        _figure("texture_acutance"),
        "multi-scale texture acutance: mean amplitude of the finer structure.",
    ),
    Column("satur.", _figure("saturation"), "saturation of the colours."),
    Column("warmth", _figure("color_warmth"), "mean colour temperature, as VIQET reckons it."),
    Column("illum.", _figure("illumination"), "contrast times exposure."),
    Column("range", _figure("dynamic_range"), "how evenly the grey levels are used."),
    Column("over", _figure("over_exposed", 2), "percent of the pixels that are over-exposed."),
    Column("under", _figure("under_exposed", 2), "percent of the pixels that are under-exposed."),
)
ARTIFACTS = (
    _ROW,
    Column(
        "mask",
        _figure("unsharp_amount", 2),
        "amount of the unsharp mask (sigma 1) of HR0 with the same MOS; its figures "
        "are in brackets, means over the pictures where an amount of 3 or less reaches it.",
    ),
    Column(
        "clipped %",
        _beside_mask("clipped_percent", 2),
        "samples at 0 or 255, where detail is lost.",
    ),
    Column(
        "overshoot",
        _beside_mask("overshoot_levels", 2),
        "mean distance beyond the 5x5 range of HR0, in levels: halos.",
    ),
    Column(
        "flat noise",
        _beside_mask("flat_noise_gain", 2),
        "factor on the grain where HR0 is flattest.",
    ),
    Column(
        "corner dB",
        _beside_mask("corner_gain_db", 1),
        "energy at the corner of the spectrum, where a weave would show.",
    ),
)


def duration(seconds: float) -> str:
    """Time for people: ``9.3 s``, ``3 min 51 s``, ``2 h 05 min``."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return (
        f"{minutes} min {rest:02d} s"
        if minutes < 60
        else f"{minutes // 60} h {minutes % 60:02d} min"
    )


def table1(summary: dict) -> str:
    """Table 1 of the run as plain text, a line per stage, the paper's ratio beside it and the selected stage marked."""
    return _text(TABLE_1, summary["stages"], summary["selected_stage"])


def table2(summary: dict) -> str:
    """Table 2 of the run and what MOS cannot see, as plain text."""
    rows = rows_of_table2(summary)
    return (
        _text(TABLE_2, rows, summary["selected_stage"])
        + "\n\n"
        + _text(ARTIFACTS, rows, summary["selected_stage"])
    )


def rows_of_table2(summary: dict) -> list[dict]:
    """LR, HR_0 and HR_n, each with its ``name``."""
    names = {"lr_jpeg": "LR, JPEG", "lr_half": "LR, half size", "hr_0": "HR0"}
    rows = [{"name": name, **summary["originals"][key]} for key, name in names.items()]
    for row in rows:
        row["mos_gain"] = row["mos_raw"] - summary["originals"]["hr_0"]["mos_raw"]
    return rows + [{"name": f"HR{stage['stage']}", **stage} for stage in summary["stages"]]


def _text(columns: Sequence[Column], rows: Sequence[dict], selected: int) -> str:
    cells = [[column.heading for column in columns]] + [
        [column.cell(row) for column in columns] for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    ]
    for index, row in enumerate(rows, start=1):
        if row.get("stage") == selected:
            lines[index] += "  <- selected"
    return "\n".join(lines)


def table(columns: Sequence[Column], rows: Sequence[dict], selected: int) -> str:
    """An HTML table with a line per row, the row of the selected stage marked."""
    headings = "".join(f'<th scope="col">{escape(column.heading)}</th>' for column in columns)
    lines = []
    for row in rows:
        first, *cells = (escape(column.cell(row)) for column in columns)
        note = ' <span class="note">selected</span>' if row.get("stage") == selected else ""
        values = "".join(f"<td>{cell}</td>" for cell in cells)
        lines.append(
            f'<tr{mark(row.get("stage"), selected)}><th scope="row">{first}{note}</th>{values}</tr>'
        )
    return html_table(headings, lines)


def html_table(headings: str, rows: Sequence[str]) -> str:
    """An HTML table of cells that are HTML already."""
    return (
        f"<table><thead><tr>{headings}</tr></thead>\n<tbody>\n"
        + "\n".join(rows)
        + "\n</tbody></table>"
    )


def mark(stage: int | None, selected: int) -> str:
    """The class of what belongs to the selected stage, as an attribute."""
    return ' class="selected"' if stage == selected else ""


def meanings(columns: Sequence[Column]) -> str:
    """What the columns mean, as the items of an HTML list."""
    return "\n".join(
        f"<dt>{escape(column.heading)}</dt><dd>{escape(column.meaning)}</dd>" for column in columns
    )
