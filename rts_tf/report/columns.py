"""The columns of the tables of a run: what each shows, and what that means.

The rows are dicts with the keys of ``summary.json`` (:mod:`rts_tf.training.summary`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# The paper's Table 1: the ratio of HR_1 .. HR_8 on DIV2K
PAPER_RATIO_PERCENT = (0.95, 1.35, 1.47, 1.48, 1.51, 1.55, 1.62, 1.76)


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        heading: The heading, a word or two.
        cell: Returns the text for a row.
        meaning: What the column means, for the reader of the page.
        short: The same in a few words, for the legend below a table on a terminal.
        extra: Whether a table on a terminal has the column only if all are asked for.
        key: If it is given, a table on a terminal has the column only if a row has this key.
    """

    heading: str
    cell: Callable[[Mapping], str]
    meaning: str = ""
    short: str = ""
    extra: bool = False
    key: str = ""


def duration(seconds: float) -> str:
    """Write a time as ``9.3 s``, ``3 min 51 s`` or ``2 h 05 min``."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def number(key: str, decimals: int = 2) -> Callable[[Mapping], str]:
    """The cell of a metric that every row has."""
    return lambda row: f"{row[key]:.{decimals}f}"


def _signed(key: str) -> Callable[[Mapping], str]:
    """The cell of a metric with its sign. Adding 0.0 turns -0.0 into 0.0."""
    return lambda row: f"{round(row[key], 2) + 0.0:+.2f}"


def optional(key: str, decimals: int = 1) -> Callable[[Mapping], str]:
    """The cell of a metric that may be missing, None or nan."""

    def cell(row: Mapping) -> str:
        value = row.get(key)
        return "–" if value is None or math.isnan(value) else f"{value:.{decimals}f}"

    return cell


def beside_unsharp(key: str, decimals: int) -> Callable[[Mapping], str]:
    """The cell of a metric, with that of the unsharp mask of equal MOS in brackets."""
    own, unsharp = optional(key, decimals), optional(f"unsharp_{key}", decimals)
    return lambda row: f"{own(row)} ({unsharp(row)})" if f"unsharp_{key}" in row else own(row)


def _paper_ratio(row: Mapping) -> str:
    number = row["stage"]
    return f"{PAPER_RATIO_PERCENT[number - 1]:.2f}" if number <= len(PAPER_RATIO_PERCENT) else "–"


TABLE_1 = (
    Column(
        "stage",
        lambda row: f"HR{row['stage']}",
        "the images after so many stages. HR0 are the originals.",
        short="HRn are the images after n stages",
    ),
    Column(
        "ratio %",
        number("difference_ratio_percent"),
        "how much the images differ from the originals: mean |HRn − HR0| / 255 × 100.",
        short="change from the originals, in % of full scale",
    ),
    Column(
        "paper %",
        _paper_ratio,
        "the ratio in Table 1 of the paper, on the 100 validation images of DIV2K.",
        short="that of the paper",
    ),
    Column(
        "delta %",
        number("delta_percent"),
        "what the stage adds to the ratio: the ratio of this row minus that of the row above (the"
        " delta column of the paper).",
        short="what the stage adds to the ratio",
    ),
    Column(
        "step %",
        number("step_difference_percent"),
        "how much the stage changes the images: mean |HRn − HRn−1| / 255 × 100. The run stops"
        " where it rises (section 3.4).",
        short="change from the stage before",
    ),
    Column(
        "alpha",
        lambda row: f"{row['alpha_mean']:.2f} ± {row['alpha_std']:.2f}",
        "the strength of the enhancement seen as unsharp masking (eq. 12): the least-squares factor"
        " of HRn − HR0 on HR0 − U(D(HR0)), mean ± std over the images. In the paper it is"
        " 0.78 ± 0.10 at stage 1.",
        short="strength as an unsharp mask",
        extra=True,
    ),
    Column(
        "drift",
        _signed("brightness_drift_levels"),
        "the change of the mean brightness from HR0 to HRn, in 8-bit levels. It should stay near"
        " 0.",
        short="change of brightness, in 8-bit levels",
    ),
    Column(
        "net drift",
        _signed("network_drift_levels"),
        "the same for the output of the network itself, before the anchor restores the brightness"
        " of the original.",
        short="drift of the network alone",
        extra=True,
    ),
    Column(
        "unsharp %",
        number("unsharp_ratio_percent"),
        "the ratio of an unsharp mask that is applied as many times. It keeps growing, while the"
        " stages should settle.",
        short="ratio of an unsharp mask applied as often",
    ),
)
TRAINING = (
    Column("stage", lambda row: str(row["stage"]), "the number of the stage."),
    Column(
        "steps",
        lambda row: f"{row['steps']:,}",
        "the training steps of Phase A, with one batch each.",
    ),
    Column(
        "final loss",
        lambda row: f"{row['final_loss']:#.3g}",
        "the mean squared error at the end, for pixels from 0 to 1.",
    ),
    Column(
        "phase A",
        lambda row: duration(row["phase_a_seconds"]),
        "the time to train the network of the stage.",
    ),
    Column(
        "phase B",
        lambda row: duration(row["phase_b_seconds"]),
        "the time to make HRn, the targets of the next stage, with it.",
    ),
    Column(
        "weights",
        lambda row: row["weights_sha256"][:12],
        "the start of the SHA-256 of the weights.",
    ),
)
_IMAGES = Column(
    "images",
    lambda row: row["name"],
    "HR0: the originals. LR, JPEG: HR0 after JPEG compression, at its own size (the LR of the"
    " paper). LR, half size: what the network learns from, enlarged by Lanczos interpolation. HRn:"
    " after n stages.",
    short="HR0 the originals, HRn after n stages, LR reduced ones",
)
TABLE_2 = (
    _IMAGES,
    Column(
        "MOS",
        optional("mos_raw", 3),
        "the mean opinion score that VIQET predicts, before it is limited to the range from 1 to"
        " 4.5. It is mostly sharpness.",
        short="score by VIQET, mostly of sharpness, for good images 3 to 4",
    ),
    Column(
        "gain",
        optional("mos_gain", 3),
        "the MOS above that of HR0. In the paper it is .137, .203, .232 and .225 for HR1 to HR4.",
        short="MOS above that of HR0",
    ),
    Column(
        "edge",
        optional("edge_acutance"),
        "multi-scale edge acutance: the energy of the contours; 100 for good images.",
        short="sharpness of contours",
    ),
    Column(
        "noise",
        optional("noise_signature_index"),
        "noise signature index of the quietest hundredth of the image.",
        short="noise of the quietest parts",
    ),
    Column(
        "texture",
        optional("texture_acutance"),
        "multi-scale texture acutance: the mean amplitude of the finer structure.",
        short="amount of fine structure",
    ),
    Column(
        "satur.",
        optional("saturation"),
        "the saturation of the colours.",
        short="saturation of colours",
        extra=True,
    ),
    Column(
        "warmth",
        optional("color_warmth"),
        "the mean colour temperature, on VIQET's scale.",
        short="colour temperature on VIQET's scale",
        extra=True,
    ),
    Column(
        "illum.",
        optional("illumination"),
        "contrast times exposure.",
        short="contrast times exposure",
    ),
    Column(
        "range",
        optional("dynamic_range"),
        "how evenly the grey levels are used.",
        short="how evenly grey levels are used",
        extra=True,
    ),
    Column(
        "over",
        optional("over_exposed", 2),
        "the percentage of over-exposed pixels.",
        short="% of over-exposed pixels",
        extra=True,
    ),
    Column(
        "under",
        optional("under_exposed", 2),
        "the percentage of under-exposed pixels.",
        short="% of under-exposed pixels",
        extra=True,
    ),
)
ARTIFACTS = (
    _IMAGES,
    Column(
        "mask",
        optional("unsharp_amount", 2),
        "the amount of the unsharp mask (sigma 1) of HR0 that reaches the same MOS. Its artifacts"
        " are in brackets: means over the images for which an amount of 3 or less is enough.",
        short="amount of the unsharp mask of equal MOS, whose figures are in brackets",
        key="unsharp_amount",
    ),
    Column(
        "clipped %",
        beside_unsharp("clipped_percent", 2),
        "the percentage of samples at 0 or 255, where detail is lost.",
        short="% of samples at 0 or 255",
        extra=True,
        key="clipped_percent",
    ),
    Column(
        "overshoot",
        beside_unsharp("overshoot_levels", 2),
        "the mean distance beyond the range of the 5x5 neighbours in HR0, in 8-bit levels: halos.",
        short="halos, in 8-bit levels",
        key="overshoot_levels",
    ),
    Column(
        "flat noise",
        beside_unsharp("flat_noise_gain", 2),
        "the factor on the std of the fine structure where HR0 is flattest: amplified noise.",
        short="factor on the noise of flat areas",
        key="flat_noise_gain",
    ),
    Column(
        "corner dB",
        beside_unsharp("corner_gain_db", 1),
        "the gain of the energy on the high-frequency diagonal (the corner of the spectrum), where"
        " a weave at the scale of single pixels shows.",
        short="gain of the finest detail, where a weave shows",
        extra=True,
        key="corner_gain_db",
    ),
)
