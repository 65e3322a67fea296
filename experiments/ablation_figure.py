"""The figure of experiments.ablation, from its record: what the MOS of each recipe costs at the corner of the spectrum."""

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle


def trade(record: dict) -> Figure:
    """A point for each row, coloured by its flat noise: the network's own output; a ring: HR_n as judged."""
    figure = Figure(figsize=(9, 5.6), layout="constrained")
    axes = figure.add_subplot()
    outputs = {name: row["output"] for name, row in record["rows"].items()}
    judged = [row["hr_n"] for row in record["rows"].values()]
    corner, gain = ([output[key] for output in outputs.values()] for key in ("corner_gain_db", "mos_gain"))
    noise = [output["flat_noise_gain"] for output in outputs.values()]
    for output, hr_n in zip(outputs.values(), judged, strict=True):
        ends = [[figures[key] for figures in (output, hr_n)] for key in ("corner_gain_db", "mos_gain")]
        axes.plot(*ends, color="0.8", linewidth=0.8, zorder=1)
    axes.scatter([h["corner_gain_db"] for h in judged], [h["mos_gain"] for h in judged], s=36, facecolors="none",
                 edgecolors="0.5", label="as judged, anchor included", zorder=2)  # fmt: skip
    points = axes.scatter(corner, gain, c=noise, cmap="viridis_r", s=46, label="the network's own output", zorder=3)
    mask = [(o["unsharp_corner_gain_db"], o["mos_gain"]) for o in outputs.values() if o["unsharp_corner_gain_db"] is not None]
    axes.plot(*zip(*sorted(mask), strict=True), "x", color="0.35", markersize=5, label="unsharp mask of the same MOS")
    for name, x, y in zip(outputs, corner, gain, strict=True):
        axes.annotate(name.replace("_", " "), (x, y), xytext=(6, 4), textcoords="offset points", fontsize=8)
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    left, right, bottom, top = min(left, 2.0), max(right, 7.0), min(bottom, 0.28), max(top, 0.34)
    axes.add_patch(Rectangle((left, 0.3), 6 - left, top - 0.3, color="#2f9e62", alpha=0.12, zorder=0))
    axes.text(left + 0.1, top - 0.004, "wanted", color="#2f9e62", va="top", fontsize=9)
    axes.set(xlim=(left, right), ylim=(bottom, top), ylabel="MOS gained")
    axes.set_xlabel("energy gained at the corner of the spectrum, dB (a pixel-scale weave)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    figure.colorbar(points, ax=axes, label="factor on the noise of flat areas")
    return figure
