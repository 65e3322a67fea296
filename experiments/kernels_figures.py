"""Draws the two figures of experiments.kernels from its record; they need no text beside them."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.transfer import BINS

NOTHING = 0.5  # dB; people do not see smaller changes
VERDICTS = ("blurs", "does nothing", "sharpens")
STAGE_COLOURS = ("#9ecae1", "#4292c6", "#08306b")


def verdict(gain_db: float) -> str:
    """Return what a gain in the top octave does to an image, in words."""
    return VERDICTS[1 + int(np.sign(gain_db)) * (abs(gain_db) > NOTHING)]


def axes_of(record: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the kernels A and the kernels B of the pairs."""
    pairs = [pair.split() for pair in record["pairs"]]
    return list(dict.fromkeys(a for a, _ in pairs)), list(dict.fromkeys(b for _, b in pairs))


def signed(value: float, decimals: int = 1) -> str:
    """Format a number with its sign; zero has none."""
    text = f"{value:+.{decimals}f}"
    return text if float(text) else text[1:]


def verdicts(record: dict[str, Any]) -> Figure:
    """Draw the map: a cell for each pair, with the gain of the last stage in the top octave."""
    a_kernels, b_kernels = axes_of(record)
    last = np.array(
        [[record["pairs"][f"{a} {b}"]["octaves_db"][0][-1] for a in a_kernels] for b in b_kernels]
    )
    limit = np.abs(last[..., 0]).max()
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(last[..., 0], cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    for (row, column), gain in np.ndenumerate(last[..., 0]):
        colour = "white" if abs(gain) > 0.6 * limit else "black"
        style = {"ha": "center", "va": "center", "color": colour}
        predicted = signed(last[row, column, 1])
        axes.text(column, row - 0.17, verdict(gain), weight="bold", size=11, **style)
        axes.text(column, row + 0.08, f"{signed(gain)} dB", size=10, **style)
        axes.text(column, row + 0.30, f"predicted {predicted}", size=8, **style)
    softness = [f"{a}\nkeeps {kept:.0%}" for a, kept in record["a_at_nyquist"].items()]
    axes.set_xticks(range(len(a_kernels)), softness)
    axes.set_yticks(range(len(b_kernels)), b_kernels)
    axes.set_xlabel(
        "A: makes the small images that the network trains on"
        " (and what it keeps of their finest detail)"
    )
    axes.set_ylabel("B: reduces what\nthe network makes")
    axes.set_title(
        "What three stages do to the finest detail of an image (1/4 to 1/2 cycles a pixel)", size=11
    )
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.colorbar(image, ax=axes, label="measured gain, dB", pad=0.015)
    return figure


def curves(record: dict[str, Any]) -> Figure:
    """Draw gain against frequency, a panel for each pair, arranged as in the map.

    Lines are predicted, points are measured. The dashed line is the prediction with aliasing for
    the last stage.
    """
    a_kernels, b_kernels = axes_of(record)
    figure = Figure(figsize=(9, 5.6), layout="constrained")
    grid = figure.subplots(len(b_kernels), len(a_kernels), sharex=True, sharey=True, squeeze=False)
    for row, b in enumerate(b_kernels):
        for column, a in enumerate(a_kernels):
            _panel(grid[row, column], f"A {a}, B {b}", record["pairs"][f"{a} {b}"])
    figure.supxlabel("detail, cycles a pixel (0.5: the finest)", size=9)
    figure.supylabel("gain, dB", size=9)
    figure.legend(
        *grid[0, 0].get_legend_handles_labels(),
        loc="outside upper center",
        ncols=len(STAGE_COLOURS) + 1,
        frameon=False,
        fontsize=8,
    )
    return figure


def _panel(axes: Axes, title: str, pair: dict[str, Any]) -> None:
    """Draw the curves of one pair."""
    frequency, curve = (np.arange(BINS) + 0.5) / (2 * BINS), np.array(pair["curve_db"])
    axes.axhline(0, color="0.8", linewidth=0.8)
    colours = STAGE_COLOURS[-len(curve) :]
    for stage, (gains, colour) in enumerate(zip(curve, colours, strict=True), 1):
        line = {"color": colour, "linewidth": 1.4, "label": f"stage {stage}, predicted"}
        axes.plot(frequency, gains[:, 1], **line)
        points = {"color": colour, "markersize": 3, "label": f"stage {stage}, measured"}
        axes.plot(frequency[1::2], gains[1::2, 0], "o", **points)
    label = f"stage {len(curve)}, with aliasing"
    axes.plot(frequency, curve[-1, :, 2], "--", color="#e6550d", linewidth=1, label=label)
    word = verdict(pair["octaves_db"][0][-1][0])
    axes.set_title(title, size=8)
    axes.text(0.02, 0.9, word, transform=axes.transAxes, size=8, weight="bold")
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xticks([0, 0.25, 0.5])
