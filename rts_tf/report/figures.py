"""The curves of a run as inline SVG: Fig. 4, how far the stages move the pictures, and Fig. 6, what VIQET says of them.

Knows dicts alone. The keys are those of ``summary.json``.
"""

import contextlib
import io
from collections.abc import Iterator, Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rts_tf.report.tables import PAPER_RATIO_PERCENT

INK = (
    "#010203"  # stands for the page's text colour in the SVG, which must follow light and dark mode
)
GREEN, BLUE, ORANGE, PURPLE = "#2f9e62", "#3b7fe0", "#e08a1e", "#a05bd0"
# Table 2 of the paper, over its HR_0 (3.825): LR, HR_0 .. HR_8.
PAPER_MOS_GAIN = (-0.180, 0.0, 0.137, 0.203, 0.232, 0.225, 0.223, 0.213, 0.205, 0.205)
LINE = {"markersize": 4, "linewidth": 1.6}


def change_curve(stages: Sequence[dict], selected: int) -> str:
    """Fig. 4 as an SVG element: the stages settle, the repeated unsharp mask does not."""
    numbers = [stage["stage"] for stage in stages]
    paper = PAPER_RATIO_PERCENT[: max(numbers)]
    lines = (
        (
            "unsharp mask, repeated",
            GREEN,
            "s-",
            [stage["unsharp_ratio_percent"] for stage in stages],
        ),
        (
            "HRn from HR0 (ratio)",
            BLUE,
            "o-",
            [stage["difference_ratio_percent"] for stage in stages],
        ),
        (
            "HRn from HRn−1 (step)",
            ORANGE,
            "o-",
            [stage["step_difference_percent"] for stage in stages],
        ),
    )
    with _drawing() as figure:
        axes = figure.add_subplot()
        axes.axvline(selected, color=INK, alpha=0.12, linewidth=9)
        for label, colour, style, values in lines:
            axes.plot(numbers, values, style, color=colour, label=label, **LINE)
        axes.plot(
            range(1, len(paper) + 1),
            paper,
            ".:",
            color=INK,
            alpha=0.6,
            markersize=3,
            label="the paper's ratio",
        )
        axes.set(
            xlabel="stage", ylabel="mean change, % of full scale", xticks=numbers, ylim=(0, None)
        )
        _dress(axes)
        return _svg(figure, "Change of the pictures against the stage; the values are in Table 1")


def mos_curve(originals: dict[str, dict], stages: Sequence[dict], selected: int) -> str:
    """Fig. 6 as an SVG element: the MOS above that of HR_0, and the measures that move it.

    Args:
        originals: the means of ``lr_jpeg``, ``lr_half`` and ``hr_0``.
    """
    hr_0 = originals["hr_0"]
    numbers = [0, *(stage["stage"] for stage in stages)]
    gains = [row["mos_raw"] - hr_0["mos_raw"] for row in (originals["lr_jpeg"], hr_0, *stages)]
    measures = (
        ("edge acutance", "edge_acutance", BLUE),
        ("texture acutance", "texture_acutance", GREEN),
        ("illumination", "illumination", ORANGE),
        ("noise signature", "noise_signature_index", PURPLE),
    )
    with _drawing(width=7.4) as figure:
        left, right = figure.subplots(1, 2)
        for axes in (left, right):
            axes.axvline(selected, color=INK, alpha=0.12, linewidth=9)
        left.axhline(0, color=INK, alpha=0.4, linewidth=0.8)
        left.plot([-1, *numbers], gains, "o-", color=BLUE, label="these pictures", **LINE)
        paper = PAPER_MOS_GAIN[: len(numbers) + 1]
        left.plot(
            range(-1, len(paper) - 1),
            paper,
            ".:",
            color=INK,
            alpha=0.6,
            markersize=3,
            label="the paper's",
        )
        left.set(ylabel="MOS above HR0", xticks=[-1, *numbers])
        left.set_xticklabels(["LR", *(f"HR{number}" for number in numbers)])
        for label, key, colour in measures:
            values = [row[key] / hr_0[key] if hr_0[key] else 1.0 for row in (hr_0, *stages)]
            right.plot(numbers, values, "o-", color=colour, label=label, **LINE)
        right.set(ylabel="factor on the measure", xticks=numbers)
        right.set_xticklabels([f"HR{number}" for number in numbers])
        _dress(left)
        _dress(right)
        return _svg(figure, "MOS and measures against the stage; the values are in Table 2")


@contextlib.contextmanager
def _drawing(width: float = 6.0) -> Iterator[Figure]:
    """A figure whose text stays text, and whose ids stay the same from run to run, so that two pages can be compared."""
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "rts", "font.size": 9}):
        yield Figure(figsize=(width, 3.4), layout="constrained")


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
    figure.savefig(
        file,
        format="svg",
        transparent=True,
        metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")),
    )
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    return svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
