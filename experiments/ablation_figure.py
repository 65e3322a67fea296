"""The figure of experiments.ablation, from its record: what the MOS of each recipe costs at the corner of the spectrum."""

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

FAR = -8.0  # dB: what lies below is named at the edge of the figure


def trade(record: dict) -> Figure:
    """A point for each row, coloured by its flat noise: the network's own output; a ring: HR_n as judged."""
    figure = Figure(figsize=(9, 5.6), layout="constrained")
    axes = figure.add_subplot()
    outputs = {name: row["output"] for name, row in record["rows"].items()}
    judged = [row["hr_n"] for row in record["rows"].values()]
    corner, gain = (
        [output[key] for output in outputs.values()] for key in ("corner_gain_db", "mos_gain")
    )
    noise = [output["flat_noise_gain"] for output in outputs.values()]
    for output, hr_n in zip(outputs.values(), judged, strict=True):
        ends = [
            [figures[key] for figures in (output, hr_n)] for key in ("corner_gain_db", "mos_gain")
        ]
        axes.plot(*ends, color="0.8", linewidth=0.8, zorder=1)
    axes.scatter(
        [h["corner_gain_db"] for h in judged],
        [h["mos_gain"] for h in judged],
        s=36,
        facecolors="none",
        edgecolors="0.5",
        label="as judged, anchor included",
        zorder=2,
    )
    points = axes.scatter(
        corner, gain, c=noise, cmap="viridis_r", s=46, label="the network's own output", zorder=3
    )
    mask = [
        (o["unsharp_corner_gain_db"], o["mos_gain"])
        for o in outputs.values()
        if o["unsharp_corner_gain_db"] is not None
    ]
    axes.plot(
        *zip(*sorted(mask), strict=True),
        "x",
        color="0.35",
        markersize=5,
        label="unsharp mask of the same MOS",
    )
    near = [at for at in corner if at > FAR]
    left, right, bottom, top = (
        min([*near, 3.0]) - 1,
        max(*corner, 7.0) + 1,
        min(*gain, 0.28) - 0.01,
        max(*gain, 0.34) + 0.03,
    )
    at = bottom
    for y, x, name in sorted(
        zip(gain, corner, outputs, strict=True)
    ):  # names one above the other, a line to each point
        at = max(at + (top - bottom) / 26, y)
        text = name.replace("_", " ") + ("" if x > FAR else f" ({x:.0f} dB)")
        line = {"arrowstyle": "-", "color": "0.7", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 4}
        axes.annotate(
            text, (max(x, left), y), xytext=(right, at), va="center", fontsize=8, arrowprops=line
        )
    axes.add_patch(
        Rectangle((left, 0.3), 6 - left, top - 0.3, color="#2f9e62", alpha=0.12, zorder=0)
    )
    axes.text(left + 0.1, top - 0.004, "wanted", color="#2f9e62", va="top", fontsize=9)
    axes.set(xlim=(left, right), ylim=(bottom, top), ylabel="MOS gained")
    axes.set_xlabel("energy gained at the corner of the spectrum, dB (a pixel-scale weave)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    figure.colorbar(points, ax=axes, pad=0.02, label="factor on the noise of flat areas")
    return figure
