"""The two figures of experiments.kernels, drawn from its record. They should be understood without a word beside them."""

import numpy as np
from matplotlib.figure import Figure

from experiments.transfer import BINS

NOTHING = 0.5  # dB; what changes less, people do not see
VERDICTS = ("blurs", "does nothing", "sharpens")
STAGE_COLOURS = ("#9ecae1", "#4292c6", "#08306b")


def verdict(gain_db: float) -> str:
    """Of a gain in the top octave."""
    return VERDICTS[1 + int(np.sign(gain_db)) * (abs(gain_db) > NOTHING)]


def axes_of(record: dict) -> tuple[list[str], list[str]]:
    """The kernels A and B of the pairs."""
    return tuple(list(dict.fromkeys(pair.split()[i] for pair in record["pairs"])) for i in (0, 1))


def signed(value: float, decimals: int = 1) -> str:
    """With its sign, but for zero."""
    text = f"{value:+.{decimals}f}"
    return text if float(text) else text[1:]


def verdicts(record: dict) -> Figure:
    """The map: a cell for every pair, coloured by the measured gain of the last stage in the top octave."""
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
        place = {"ha": "center", "color": colour}
        axes.text(column, row - 0.17, verdict(gain), va="center", weight="bold", size=11, **place)
        axes.text(column, row + 0.08, f"{signed(gain)} dB", va="center", size=10, **place)
        axes.text(
            column,
            row + 0.30,
            f"predicted {signed(last[row, column, 1])}",
            va="center",
            size=8,
            **place,
        )
    softness = [f"{a}\nkeeps {kept:.0%}" for a, kept in record["a_at_nyquist"].items()]
    axes.set_xticks(range(len(a_kernels)), softness)
    axes.set_yticks(range(len(b_kernels)), b_kernels)
    axes.set_xlabel(
        "A: makes the small pictures that the network trains on (and what it keeps of their finest detail)"
    )
    axes.set_ylabel("B: reduces what\nthe network makes")
    axes.set_title(
        "What three stages do to the finest detail of a photograph (1/4 to 1/2 cycles a pixel)",
        size=11,
    )
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.colorbar(image, ax=axes, label="measured gain, dB", pad=0.015)
    return figure


def curves(record: dict) -> Figure:
    """Gain against frequency, a panel for every pair, placed as in the map: lines are predicted, points measured.

    Dashed: predicted for the last stage with aliasing.
    """
    a_kernels, b_kernels = axes_of(record)
    figure = Figure(figsize=(9, 5.6), layout="constrained")
    grid = figure.subplots(len(b_kernels), len(a_kernels), sharex=True, sharey=True, squeeze=False)
    frequency = (np.arange(BINS) + 0.5) / (2 * BINS)
    for row, b in enumerate(b_kernels):
        for column, a in enumerate(a_kernels):
            axes, curve = grid[row, column], np.array(record["pairs"][f"{a} {b}"]["curve_db"])
            axes.axhline(0, color="0.8", linewidth=0.8)
            for stage, (gains, colour) in enumerate(
                zip(curve, STAGE_COLOURS[-len(curve) :], strict=True), 1
            ):
                axes.plot(
                    frequency,
                    gains[:, 1],
                    color=colour,
                    linewidth=1.4,
                    label=f"stage {stage}, predicted",
                )
                axes.plot(
                    frequency[1::2],
                    gains[1::2, 0],
                    "o",
                    color=colour,
                    markersize=3,
                    label=f"stage {stage}, measured",
                )
            label = f"stage {len(curve)}, with aliasing"
            axes.plot(frequency, curve[-1, :, 2], "--", color="#e6550d", linewidth=1, label=label)
            word = verdict(record["pairs"][f"{a} {b}"]["octaves_db"][0][-1][0])
            axes.set_title(f"A {a}, B {b}", size=8)
            axes.text(0.02, 0.9, word, transform=axes.transAxes, size=8, weight="bold")
            axes.tick_params(labelsize=7)
            axes.spines[["top", "right"]].set_visible(False)
            axes.set_xticks([0, 0.25, 0.5])
    figure.supxlabel("detail, cycles a pixel (0.5: the finest)", size=9)
    figure.supylabel("gain, dB", size=9)
    lines, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(
        lines,
        labels,
        loc="outside upper center",
        ncols=len(STAGE_COLOURS) + 1,
        frameon=False,
        fontsize=8,
    )
    return figure
