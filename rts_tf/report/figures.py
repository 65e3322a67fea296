"""Draws the curves of a run as inline SVG: Fig. 4, the change of the images, and Fig. 6, their MOS.

The functions take dicts with the keys of ``summary.json``.
"""

import contextlib
import io
from collections.abc import Iterator, Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rts_tf.report.columns import PAPER_RATIO_PERCENT

# Stands for the text colour of the page, which differs between light and dark mode
INK = "#010203"
GREEN, BLUE, ORANGE, PURPLE = "#2f9e62", "#3b7fe0", "#e08a1e", "#a05bd0"
# The paper's Table 2 above its HR_0 (3.825): LR, HR_0 .. HR_8
PAPER_MOS_GAIN = (-0.180, 0.0, 0.137, 0.203, 0.232, 0.225, 0.223, 0.213, 0.205, 0.205)
# The lines of Fig. 4: label, colour, style, key
_CHANGES = (
    ("unsharp mask, repeated", GREEN, "s-", "unsharp_ratio_percent"),
    ("HRn from HR0 (ratio)", BLUE, "o-", "difference_ratio_percent"),
    ("HRn from HRn−1 (step)", ORANGE, "o-", "step_difference_percent"),
)
# The lines of the right part of Fig. 6: label, colour, key
_MEASURES = (
    ("edge acutance", BLUE, "edge_acutance"),
    ("texture acutance", GREEN, "texture_acutance"),
    ("illumination", ORANGE, "illumination"),
    ("noise signature", PURPLE, "noise_signature_index"),
)


def change_curve(stages: Sequence[dict], selected: int) -> str:
    """Fig. 4 as an SVG element: the stages settle, a repeated unsharp mask does not.

    Args:
        stages: ``summary["stages"]``.
        selected: The number of the selected stage.
    """
    numbers = [stage["stage"] for stage in stages]
    with _drawing() as figure:
        axes = figure.add_subplot()
        _mark(axes, selected)
        for label, colour, style, key in _CHANGES:
            _plot(axes, numbers, [stage[key] for stage in stages], label, colour, style)
        paper = PAPER_RATIO_PERCENT[: max(numbers)]
        _plot_paper(axes, range(1, len(paper) + 1), paper, "the paper's ratio")
        axes.set_xlabel("stage")
        axes.set_ylabel("mean change, % of full scale")
        axes.set_xticks(numbers)
        axes.set_ylim(0, None)
        _dress(axes)
        return _svg(figure, "Change of the images against the stage; the values are in Table 1")


def mos_curve(originals: dict[str, dict], stages: Sequence[dict], selected: int) -> str:
    """Fig. 6 as an SVG element: the MOS above that of HR_0, and the measures that change it most.

    Args:
        originals: ``summary["originals"]``, the means of ``lr_jpeg``, ``lr_half`` and ``hr_0``.
        stages: ``summary["stages"]``.
        selected: The number of the selected stage.
    """
    hr_0 = originals["hr_0"]
    numbers = [0, *(stage["stage"] for stage in stages)]
    gains = [row["mos_raw"] - hr_0["mos_raw"] for row in (originals["lr_jpeg"], hr_0, *stages)]
    with _drawing(width=7.4) as figure:
        left, right = figure.subplots(1, 2)
        _mark(left, selected)
        left.axhline(0, color=INK, alpha=0.4, linewidth=0.8)
        _plot(left, [-1, *numbers], gains, "these images", BLUE)
        paper = PAPER_MOS_GAIN[: len(numbers) + 1]
        _plot_paper(left, range(-1, len(paper) - 1), paper, "the paper's")
        left.set_ylabel("MOS above HR0")
        left.set_xticks([-1, *numbers], ["LR", *(f"HR{number}" for number in numbers)])
        _dress(left)
        _mark(right, selected)
        for label, colour, key in _MEASURES:
            factors = [row[key] / hr_0[key] if hr_0[key] else 1.0 for row in (hr_0, *stages)]
            _plot(right, numbers, factors, label, colour)
        right.set_ylabel("factor on the measure")
        right.set_xticks(numbers, [f"HR{number}" for number in numbers])
        _dress(right)
        return _svg(figure, "MOS and measures against the stage; the values are in Table 2")


@contextlib.contextmanager
def _drawing(width: float = 6.0) -> Iterator[Figure]:
    """A figure whose text stays text.

    Its ids are the same in every run, so that two pages can be compared.
    """
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "rts", "font.size": 9}):
        yield Figure(figsize=(width, 3.4), layout="constrained")


def _mark(axes: Axes, selected: int) -> None:
    """Draw the grey band of the selected stage."""
    axes.axvline(selected, color=INK, alpha=0.12, linewidth=9)


def _plot(
    axes: Axes,
    x: Sequence[int],
    y: Sequence[float],
    label: str,
    colour: str,
    style: str = "o-",
) -> None:
    axes.plot(x, y, style, color=colour, label=label, markersize=4, linewidth=1.6)


def _plot_paper(axes: Axes, x: Sequence[int], y: Sequence[float], label: str) -> None:
    axes.plot(x, y, ".:", color=INK, alpha=0.6, markersize=3, label=label)


def _dress(axes: Axes) -> None:
    axes.margins(x=0.08)
    axes.grid(axis="y", color=INK, alpha=0.12, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(color=INK, alpha=0.4)
    axes.tick_params(color=INK, labelcolor=INK)
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)
    axes.legend(frameon=False, labelcolor=INK, loc="best")


def _svg(figure: Figure, label: str) -> str:
    file = io.StringIO()
    no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(file, format="svg", transparent=True, metadata=no_metadata)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    return svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
