"""The table, the text and the figure of experiments.ablation, made from its record."""

from collections.abc import Iterable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from experiments import results

LABELS = {  # what the table calls each row
    "standard": "standard: JPEG 60..95, then reduced; anchor low",
    "random_start": "a random start instead of interpolation",
    "no_warm_start": "no warm start, 1500 steps in every stage",
    "ema": "moving average of the weights, 0.999",
    "no_jpeg": "no JPEG",
    "jpeg_after": "JPEG 60..95 after the reduction",
    "jpeg_after_mild": "JPEG 85..98 after the reduction",
    "noise2": "noise up to 2 levels on LR",
    "noise4": "noise up to 4",
    "noise6": "noise up to 6",
    "noise8": "noise up to 8",
    "eight_bit": "targets clipped and rounded to 8 bits",
    "anchor_none": "anchor none",
    "band": "anchor band",
    "noise4_jpeg_after_mild": "noise up to 4, JPEG 85..98 after the reduction",
    "standard_again": "standard, another seed",
    "noise6_again": "noise up to 6, another seed",
}
LIMITS = {  # of a recipe that is recommended: at least, at most
    "mos_gain": (0.30, None),
    "corner_gain_db": (None, 6.0),
    "flat_noise_gain": (None, 1.5),
}
FAR = -8.0  # dB; rows below this are named at the edge of the figure


def page(record: dict[str, Any]) -> str:
    """Return the table, and which rows keep the limits of a recipe that is recommended."""
    stage = record["settings"]["stages"]
    header = [
        "",
        f"HR{stage}: MOS gain",
        "corner dB",
        "flat noise",
        "output: MOS gain",
        "against the first row",
        "clipped % (unsharp mask)",
        "flat noise (unsharp mask)",
        "corner dB (unsharp mask)",
        "drift, levels",
    ]
    first = next(iter(record["rows"].values()))["output"]
    rows = [_cells(name, found, first["mos_gain"]) for name, found in record["rows"].items()]
    other_seed = any("seed" in found["settings"] for found in record["rows"].values())
    seed = f"{record['seed']}{' (2 where a row names another)' if other_seed else ''}"
    settings = " ".join(f"--{key}={value}" for key, value in record["settings"].items())
    return (
        f"# What each part of the recipe is worth\n\n{results.table(header, rows)}\n"
        f"HR{stage} is the anchored HR_{stage} that the run measures. Output is d(SR{stage}(HR0)),"
        " which users of the network get. In brackets are the figures of the unsharp mask with the"
        " same MOS. Flat noise is the factor on the noise of flat areas. Corner is the energy"
        " gained at the high-frequency diagonal (the corner of the spectrum), where both |f| are"
        " above .45.\n\n"
        "![MOS gain against the gain at the corner of the spectrum](ablation_trade.png)\n\n"
        "A recommended recipe gains at least .30 of MOS, with at most 6 dB more at the corner and"
        f" at most 1.5 times the flat noise. By the anchored HR_{stage} these are:"
        f" {_recommended(record, 'hr_n')}. By the network's own output: "
        f"{_recommended(record, 'output')}.\n\n"
        f"{record['training_images']} training images and {record['validation_images']} validation"
        f" images; `--patch=128 --warmup=100 {settings}`, seed {seed}. Phases A and B took"
        f" {record['training_seconds'] / 60:.0f} minutes on one core, with other work on the"
        f" other: `{record['command']}`\n"
    )


def keeps_limits(figures: dict[str, float]) -> bool:
    """Whether the figures of a row keep all LIMITS."""
    return all(
        (low is None or figures[key] >= low) and (high is None or figures[key] <= high)
        for key, (low, high) in LIMITS.items()
    )


def _cells(name: str, found: dict[str, Any], first_gain: float) -> list[str]:
    """One line of the table."""
    hr_n, output = found["hr_n"], found["output"]

    def beside_unsharp(key: str, decimals: int) -> str:
        unsharp = output[f"unsharp_{key}"]
        in_brackets = "none" if unsharp is None else f"{unsharp:.{decimals}f}"
        return f"{output[key]:.{decimals}f} ({in_brackets})"

    return [
        LABELS[name],
        f"{hr_n['mos_gain']:+.3f}",
        f"{hr_n['corner_gain_db']:.1f}",
        f"{hr_n['flat_noise_gain']:.2f}",
        f"{output['mos_gain']:+.3f}",
        f"{output['mos_gain'] - first_gain:+.3f}",
        beside_unsharp("clipped_percent", 2),
        beside_unsharp("flat_noise_gain", 2),
        beside_unsharp("corner_gain_db", 1),
        f"{output['brightness_drift_levels']:+.2f}",
    ]


def _recommended(record: dict[str, Any], which: str) -> str:
    """The rows that keep the limits, the one with the best MOS first."""
    kept = [
        (found[which]["mos_gain"], name)
        for name, found in record["rows"].items()
        if keeps_limits(found[which])
    ]
    lines = [f"{LABELS[name]} ({gain:+.3f})" for gain, name in sorted(kept, reverse=True)]
    return "; ".join(lines) or "none of them"


def trade(record: dict[str, Any]) -> Figure:
    """Draw what the MOS of each recipe costs at the corner of the spectrum.

    A point is the network's own output, coloured by its flat noise; a ring is the anchored HR_n.
    """
    figure = Figure(figsize=(9, 5.6), layout="constrained")
    axes = figure.add_subplot()
    outputs = {name: row["output"] for name, row in record["rows"].items()}
    hr_n = [row["hr_n"] for row in record["rows"].values()]
    corner, gain = _corner_and_mos(outputs.values())
    for ends in zip(outputs.values(), hr_n, strict=True):
        axes.plot(*_corner_and_mos(ends), color="0.8", linewidth=0.8, zorder=1)
    rings = {"s": 36, "facecolors": "none", "edgecolors": "0.5", "zorder": 2}
    axes.scatter(*_corner_and_mos(hr_n), label="anchored HR_n", **rings)
    noise = [output["flat_noise_gain"] for output in outputs.values()]
    colours = {"c": noise, "cmap": "viridis_r", "s": 46, "zorder": 3}
    points = axes.scatter(corner, gain, label="the network's own output", **colours)
    unsharp = sorted(
        (output["unsharp_corner_gain_db"], output["mos_gain"])
        for output in outputs.values()
        if output["unsharp_corner_gain_db"] is not None
    )
    style = {"color": "0.35", "markersize": 5}
    axes.plot(*zip(*unsharp, strict=True), "x", label="unsharp mask of the same MOS", **style)
    left, right = min([*(at for at in corner if at > FAR), 3.0]) - 1, max(*corner, 7.0) + 1
    bottom, top = min(*gain, 0.28) - 0.01, max(*gain, 0.34) + 0.03
    axes.set(xlim=(left, right), ylim=(bottom, top), ylabel="MOS gained")
    _name_points(axes, sorted(zip(gain, corner, outputs, strict=True)))
    wanted = {"color": "#2f9e62", "alpha": 0.12, "zorder": 0}
    axes.add_patch(Rectangle((left, 0.3), 6 - left, top - 0.3, **wanted))
    axes.text(left + 0.1, top - 0.004, "wanted", color="#2f9e62", va="top", fontsize=9)
    axes.set_xlabel("energy gained at the corner of the spectrum, dB (a pixel-scale weave)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    figure.colorbar(points, ax=axes, pad=0.02, label="factor on the noise of flat areas")
    return figure


def _corner_and_mos(rows: Iterable[dict[str, float]]) -> list[list[float]]:
    """The coordinates of ``rows`` in the figure."""
    rows = list(rows)
    return [[row[key] for row in rows] for key in ("corner_gain_db", "mos_gain")]


def _name_points(axes: Axes, points: list[tuple[float, float, str]]) -> None:
    """Write the names of the points, (MOS gain, dB, name) from below, at the right edge.

    The names stand one above the other, each with a line to its point.
    """
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    at = bottom
    for y, x, name in points:
        at = max(at + (top - bottom) / 26, y)
        text = name.replace("_", " ") + ("" if x > FAR else f" ({x:.0f} dB)")
        line = {"arrowstyle": "-", "color": "0.7", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 4}
        axes.annotate(
            text, (max(x, left), y), xytext=(right, at), va="center", fontsize=8, arrowprops=line
        )
