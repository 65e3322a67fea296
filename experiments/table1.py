"""Table 1 and Fig. 4: do the stages settle? Ratio, delta and step difference over eight stages.

The paper reports (100 images of DIV2K, no anchor) a ratio mean|HR_n - HR_0| that settles at 1.5 %,
a delta from stage to stage that falls to .01 at stage 4 and then rises, and a repeated unsharp mask
that grows linearly. Its delta is the difference of the ratio column; section 3.4 speaks of
mean|HR_n - HR_(n-1)|, our step difference. Both are shown here::

    python -m experiments.table1 --data=../shared/photos/train --validation=../shared/photos/valid

Costs the two runs of ``eight_stages`` and ten seconds. Beside the stages stand three unsharp masks
(sigma 1) on the middle 512 x 512 of each image. Each has the amount that changes the images as much
as stage 1 did. ``repeated`` is x <- mask(x), whose values may leave the range; ``repeated, 8 bits``
rounds and clips every time, as a chain of devices would; ``accumulated`` is HR_0 + n a (HR_0 -
blurred).

What came out: with the anchor the step falls at every stage up to the sixth, from .80 to .11 %, and
the ratio settles at 1.35 %. Without it the paper's own curve comes out: a ratio of .81 1.21 1.37
1.43 % (.95 1.35 1.47 1.48) that grows again from stage 5 on, to 2.20 % at HR_8 (1.76). What grows
is an error of the brightness: every stage learns from the darker images of the one before, and HR_8
is 3.3 levels too dark. The paper does not measure that. A repeated unsharp mask ends at 22 %.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from experiments import eight_stages, results, runs
from experiments.eight_stages import Run
from experiments.images import middle
from rts_tf.report.columns import PAPER_RATIO_PERCENT

FLAGS = eight_stages.experiment_flags()
MIDDLE = 512  # pixels a side, on which the unsharp masks are measured
MASKS = ("repeated", "repeated, 8 bits", "accumulated")
FIGURES = (
    "difference_ratio_percent",
    "delta_percent",
    "step_difference_percent",
    "brightness_drift_levels",
    "network_drift_levels",
)


def unsharp_ratios(run: Run) -> dict[str, list[float]]:
    """Return the ratio in percent of each of MASKS, applied 1, 2, .. times (as many as stages)."""
    from rts_tf.images.dtypes import to_float, to_uint8
    from rts_tf.metrics.difference import change_percent
    from rts_tf.metrics.unsharp import unsharp_mask

    images = [middle(hr_0, MIDDLE) for _, hr_0 in run.originals()]
    detail = np.mean([change_percent(unsharp_mask(y, 1.0), y) for y in images])
    amount = run.stages[0]["difference_ratio_percent"] / detail
    applied = {
        "repeated": lambda x, y, n: unsharp_mask(x, amount),
        "repeated, 8 bits": lambda x, y, n: to_float(to_uint8(unsharp_mask(x, amount))),
        "accumulated": lambda x, y, n: unsharp_mask(y, n * amount),
    }
    ratios = {}
    for name in MASKS:
        sharpened, ratios[name] = images, []
        for n in range(1, len(run.stages) + 1):
            sharpened = [applied[name](x, y, n) for x, y in zip(sharpened, images, strict=True)]
            changes = [change_percent(x, y) for x, y in zip(sharpened, images, strict=True)]
            ratios[name].append(float(np.mean(changes)))
    return ratios


def falls_until(values: Sequence[float]) -> int:
    """Return the last stage (from 1) up to which each value is smaller than the one before."""
    return next((n for n in range(1, len(values)) if values[n] >= values[n - 1]), len(values))


def markdown(result: dict[str, Any]) -> str:
    """Return the page: the tables of the stages and of the unsharp masks, and what they say."""
    paper, masks = result["paper_ratio_percent"], result["unsharp_ratio_percent"]
    parts = [
        "# Table 1 and Fig. 4: how far the stages move the images\n\n"
        + eight_stages.heading(result)
    ]
    for anchor, stages in result["stages"].items():
        parts.append(_table(anchor, stages, paper))
    parts.append(
        "Ratio is mean|HR_n - HR_0| in percent of full scale, delta what a stage adds to it, step"
        " mean|HR_n - HR_(n-1)|. Drift is the change of the brightness of HR_n in 8-bit levels (of"
        " 255), and of the network's own output before the anchor.\n\n"
        "The ratio of an unsharp mask of the same amount as stage 1, applied as many times:\n"
    )
    rows = [[str(n + 1), *(f"{masks[name][n]:.2f}" for name in MASKS)] for n in range(len(paper))]
    parts.append(results.table(["times", *MASKS], rows))
    lines = [_verdict(anchor, stages) for anchor, stages in result["stages"].items()]
    lines += [
        f"The unsharp mask, {name}, ends at {ratios[-1]:.2f} %, {ratios[-1] / ratios[0]:.1f} times"
        " its first ratio."
        for name, ratios in masks.items()
    ]
    parts.append(results.bullets(lines) + "\n\n![Fig. 4](table1_figure4.png)\n")
    return "\n".join(parts)


def _table(anchor: str, stages: list[dict[str, float]], paper: list[float]) -> str:
    """The table of one run."""
    header = [
        f"anchor {anchor}",
        "ratio",
        "the paper's",
        "delta",
        "the paper's",
        "step",
        "drift",
        "network's drift",
    ]
    rows, paper_delta = [], np.diff(paper, prepend=0)
    for n, stage in enumerate(stages):
        ratio, delta, step, *drifts = (stage[key] for key in FIGURES)
        cells = [f"{value:.2f}" for value in (ratio, paper[n], delta, paper_delta[n])]
        rows.append([f"HR{n + 1}", *cells, f"{step:.3f}", *(f"{drift:+.2f}" for drift in drifts)])
    return results.table(header, rows)


def _verdict(anchor: str, stages: list[dict[str, float]]) -> str:
    """What the table of one run says."""
    steps = [stage["step_difference_percent"] for stage in stages]
    return (
        f"Anchor {anchor}: the step difference falls at every stage up to stage"
        f" {falls_until(steps)}, from {steps[0]:.3f} to {min(steps):.3f} %. The ratio ends at"
        f" {stages[-1]['difference_ratio_percent']:.2f} %, the network's drift at"
        f" {stages[-1]['network_drift_levels']:+.2f} levels."
    )


def figure(result: dict[str, Any]) -> Figure:
    """Draw Fig. 4: ratio, step difference and drift by stage."""
    drawing = Figure(figsize=(9, 3.6), layout="constrained")
    ratio, step, drift = drawing.subplots(1, 3)
    numbers = np.arange(1, len(result["paper_ratio_percent"]) + 1)
    green = {"color": "#2f9e62", "markersize": 3}
    for name, style in zip(MASKS, ("s-", "^--", ":"), strict=True):
        values = np.array(result["unsharp_ratio_percent"][name])
        ratio.plot(numbers, values, style, label=f"unsharp mask, {name}", **green)
        if name == "repeated":
            delta = np.diff(values, prepend=0)
            step.plot(numbers, delta, style, label="the unsharp mask's delta", **green)
    for anchor, stages in result["stages"].items():
        own = {key: [stage[key] for stage in stages] for key in FIGURES}
        style = {"color": eight_stages.ANCHORS[anchor], "markersize": 4}
        label = f"RTS, anchor {anchor}"
        ratio.plot(numbers, own["difference_ratio_percent"], "o-", label=label, **style)
        step.plot(numbers, own["step_difference_percent"], "o-", label=label, **style)
        drift.plot(numbers, own["brightness_drift_levels"], "o-", label=f"HR_n, {anchor}", **style)
        label = f"the network, {anchor}"
        drift.plot(numbers, own["network_drift_levels"], "x:", label=label, **style)
    paper = np.array(result["paper_ratio_percent"])
    ratio.plot(numbers, paper, "k.:", label="the paper")
    step.plot(numbers, np.diff(paper, prepend=0), "k.:", label="the paper's delta")
    top = 1.25 * max(result["unsharp_ratio_percent"]["repeated"])
    ratio.set(title="change from HR_0, %", ylim=(0, top))
    step.set(title="change from HR_(n-1), %", yscale="log")
    drift.set(title="drift of the brightness, levels")
    for axes in (ratio, step, drift):
        axes.set(xlabel="stage", xticks=numbers)
        axes.grid(alpha=0.25)
        axes.legend(fontsize=7)
    return drawing


def experiment() -> None:
    """Measure the stages and the unsharp masks, and write the results."""
    found = eight_stages.trained(FLAGS, FLAGS.anchors)
    first = next(iter(found.values()))
    result = eight_stages.record(FLAGS, "table1", found) | {
        "paper_ratio_percent": PAPER_RATIO_PERCENT[: len(first.stages)],
        "stages": {
            anchor: [{key: stage[key] for key in FIGURES} for stage in run.stages]
            for anchor, run in found.items()
        },
        "unsharp_ratio_percent": unsharp_ratios(first),
    }
    results.save(FLAGS.output, "table1", result, markdown(result), {"figure4": figure(result)})


if __name__ == "__main__":
    runs.start(FLAGS, experiment)
