"""Alpha, the strength of a stage seen as unsharp masking (section 3.2), by image and by stage.

The paper argues that HR_1 ~ y + alpha (y - U(D(y))) (eq. 12), since D(R_1(y)) ~ alpha R_1(x)
(eq. 11), and that HR_n sums alpha^i (eq. 14). It reports .779 +- .098 for stage 1, but not how this
was measured. These are the ways to read it; each gives one number per image. Here y = HR_0,
x = A(y) with the run's reduction but no JPEG, U and D use Lanczos, and R_n = SR_n - U::

    eq. 12               least-squares factor of HR_n - y on y - U(D(y))
    eq. 12, learned      that of HR_n - y on y - U(A(y)), the detail that Phase A had to restore
    eq. 7                that of R_n(x) on y - U(A(y)), which the argument takes to be 1
    eq. 11               that of D(R_n(y)) on R_n(x)
    eq. 11, spread       std of D(R_n(y)) / std of R_n(x)
    contraction          std of D(R_n(y)) / std of R_n(y): what the reduction takes away
    eq. 13, step         least-squares factor of HR_n - HR_(n-1) on HR_(n-1) - HR_(n-2)

    python -m experiments.alpha --data=../shared/photos/train --validation=../shared/photos/valid

Costs the two runs of ``eight_stages`` and some minutes for SR_n(y) of the middle 1024 x 1024 of
every image at every stage.

What came out: at stage 1 no reading gives the paper's figure. Eq. 12 gives .489 +- .067 there and
.794 +- .120 at stage 3. The nearest at stage 1 is the contraction, .832 +- .026, which only says
what a reduction does to detail. The ratio that eq. 14 sums is the step, .457 at stage 2. From it
follow ratios of 1.46 1.67 1.76 times that of HR_1, where 1.48 1.62 1.64 were measured and the
paper's Table 1 has 1.42 1.55 1.56. With .779 they would be 1.78 2.39 2.86, so the paper's alpha is
not that of its own series. Nor is the step constant, as eq. 14 wants it to be: it is .46 .28 .18,
since each stage works an octave lower than the one before (``kernels``).
"""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from experiments import eight_stages, results, runs
from experiments.eight_stages import Run
from experiments.images import middle
from rts_tf.report.columns import PAPER_RATIO_PERCENT

FLAGS = eight_stages.experiment_flags()
PAPER = (0.779, 0.098)  # mean and std at stage 1, section 3.2
SIDE = 1024  # pixels, even
STEP = "eq. 13, step"
DEFINITIONS = (
    "eq. 12",
    "eq. 12, learned",
    "eq. 7",
    "eq. 11",
    "eq. 11, spread",
    "contraction",
    STEP,
)


def alphas(run: Run) -> list[dict[str, dict[str, float]]]:
    """Measure, for each stage and definition, the alpha of each image by its name."""
    from rts_tf.metrics.difference import least_squares_factor

    config = run.summary["config"]
    images = {name: middle(hr_0, SIDE) for name, hr_0 in run.originals()}
    before, step_before = dict(images), {}
    found = []
    for stage in range(1, len(run.stages) + 1):
        network, rows = run.network(stage), {name: {} for name in DEFINITIONS}
        for name, y in images.items():
            hr_n, measured = readings(network, y, config["kernel"], config["anchor"])
            for definition, value in measured.items():
                rows[definition][name] = value
            step = hr_n - before[name]
            if stage > 1:
                rows[STEP][name] = least_squares_factor(step, step_before[name])
            before[name], step_before[name] = hr_n, step
        found.append(
            {
                name: {key: round(value, 5) for key, value in row.items()}
                for name, row in rows.items()
                if row
            }
        )
        mean, _ = summary(found[-1]["eq. 12"])
        print(f"anchor {config['anchor']}, stage {stage}: alpha {mean:.3f}", flush=True)
    return found


def readings(
    network, y: np.ndarray, kernel: str, anchor: str
) -> tuple[np.ndarray, dict[str, float]]:
    """Measure the alpha of one image by every definition that needs one stage only.

    Args:
        network: SR_n, an :class:`rts_tf.inference.Enhancer`.
        y: HR_0, float32 [H, W, 3].
        kernel: That of A.
        anchor: That of the run.

    Returns:
        The anchored HR_n, float32 [H, W, 3], and alpha by definition.
    """
    from rts_tf.images.resample import double, halve
    from rts_tf.metrics.difference import alpha, least_squares_factor
    from rts_tf.training.anchors import anchored

    x = halve(y[None], kernel).numpy()
    learned = double(x)[0].numpy()
    of_x = network.upscale(x)[0] - learned
    enlarged = network.upscale(y[None])
    of_y = enlarged - double(y[None]).numpy()
    down = halve(of_y)[0].numpy()
    hr_n = np.asarray(anchored(halve(enlarged), y[None], anchor))[0]
    return hr_n, {
        "eq. 12": alpha(hr_n, y, double(halve(y[None]))[0].numpy()),
        "eq. 12, learned": alpha(hr_n, y, learned),
        "eq. 7": least_squares_factor(of_x, y - learned),
        "eq. 11": least_squares_factor(down, of_x),
        "eq. 11, spread": float(down.std() / of_x.std()),
        "contraction": float(down.std() / of_y.std()),
    }


def summary(rows: dict[str, float]) -> tuple[float, float]:
    """Return mean and std over the images."""
    values = list(rows.values())
    return float(np.mean(values)), float(np.std(values))


def predicted(strength: float, count: int) -> list[float]:
    """Return the ratio of HR_n to that of HR_1 by eq. 14: 1, 1 + alpha, 1 + alpha + alpha^2, .."""
    return np.cumsum(strength ** np.arange(count)).tolist()


def markdown(result: dict[str, Any]) -> str:
    """Return the page: alpha by every definition, and whether it predicts the ratios."""
    parts = ["# Alpha: the stages as unsharp masking\n\n" + eight_stages.heading(result)]
    parts.append(
        f"The paper has {PAPER[0]} ± {PAPER[1]} at stage 1. Mean ± std over {result['count']}"
        " images:\n"
    )
    for anchor, stages in result["alpha"].items():
        header = [f"anchor {anchor}", *(f"stage {n}" for n in range(1, len(stages) + 1))]
        rows = [[name, *(_mean_and_std(stage, name) for stage in stages)] for name in DEFINITIONS]
        parts.append(results.table(header, rows))
    parts.append(
        "Does the series of eq. 14 predict how the ratio grows? This is mean|HR_n - HR_0| over that"
        " of HR_1:\n"
    )
    series = _series(result)
    header = ["", *(f"HR{n}" for n in range(1, len(stages) + 1))]
    rows = [[name, *(f"{value / of[0]:.2f}" for value in of)] for name, of in series.items()]
    parts.append(results.table(header, rows))
    parts.append("`experiments/alpha.py` defines the rows.\n\n![alpha](alpha_stages.png)\n")
    return "\n".join(parts)


def _mean_and_std(stage: dict[str, dict[str, float]], definition: str) -> str:
    if definition not in stage:
        return ""
    mean, std = summary(stage[definition])
    return f"{mean:.3f} ± {std:.3f}"


def _series(result: dict[str, Any]) -> dict[str, list[float]]:
    """The ratios of the stages: measured, the paper's, and as eq. 14 predicts them."""
    series = {
        f"measured, anchor {anchor}": values for anchor, values in result["ratio_percent"].items()
    }
    count = len(next(iter(series.values())))
    series["the paper's Table 1"] = list(PAPER_RATIO_PERCENT[:count])
    series[f"eq. 14 with {PAPER[0]}"] = predicted(PAPER[0], count)
    for anchor, stages in result["alpha"].items():
        step, _ = summary(stages[1][STEP])
        name = f"eq. 14 with the step of stage 2, {step:.3f}, anchor {anchor}"
        series[name] = predicted(step, count)
    return series


def figure(result: dict[str, Any]) -> Figure:
    """Draw alpha as boxes over the images.

    Left: eq. 12 by stage. Right: stage 1 by definition (the step: stage 2).
    """
    drawing = Figure(figsize=(9, 4), layout="constrained")
    left, right = drawing.subplots(1, 2)
    for shift, (anchor, stages) in zip((-0.18, 0.18), result["alpha"].items(), strict=False):
        colour = eight_stages.ANCHORS[anchor]
        style = {
            "widths": 0.3,
            "patch_artist": True,
            "boxprops": {"facecolor": colour, "alpha": 0.5},
            "medianprops": {"color": "black"},
            "flierprops": {"markersize": 3},
            "manage_ticks": False,
        }
        by_stage = [list(stage["eq. 12"].values()) for stage in stages]
        left.boxplot(by_stage, positions=np.arange(1, len(stages) + 1) + shift, **style)
        firsts = [
            list(stages[min(len(stages) - 1, name == STEP)].get(name, {}).values())
            for name in DEFINITIONS
        ]
        right.boxplot(firsts, positions=np.arange(len(DEFINITIONS)) + shift, **style)
        left.plot([], [], "s", color=colour, alpha=0.5, label=f"anchor {anchor}")
    low, high = PAPER[0] - PAPER[1], PAPER[0] + PAPER[1]
    for axes in (left, right):
        axes.axhspan(low, high, color="black", alpha=0.12, label="the paper, stage 1")
        axes.axhline(PAPER[0], color="black", linewidth=0.8)
        axes.grid(axis="y", alpha=0.25)
    left.set(title="alpha of eq. 12 by stage", xlabel="stage", xticks=range(1, len(stages) + 1))
    left.legend(fontsize=8)
    right.set(title="stage 1 (the step: stage 2) by definition", xticks=range(len(DEFINITIONS)))
    right.set_xticklabels(DEFINITIONS, rotation=25, ha="right", fontsize=8)
    return drawing


def experiment() -> None:
    """Measure alpha in the runs, and write the results."""
    found = eight_stages.trained(FLAGS, FLAGS.anchors)
    alpha = {anchor: alphas(run) for anchor, run in found.items()}
    result = eight_stages.record(FLAGS, "alpha", found) | {
        "paper": {"stage_1_mean": PAPER[0], "stage_1_std": PAPER[1]},
        "count": len(next(iter(alpha.values()))[0]["eq. 12"]),
        "ratio_percent": {
            anchor: [stage["difference_ratio_percent"] for stage in run.stages]
            for anchor, run in found.items()
        },
        "alpha": alpha,
    }
    results.save(FLAGS.output, "alpha", result, markdown(result), {"stages": figure(result)})


if __name__ == "__main__":
    runs.start(FLAGS, experiment)
