"""Table 2 and Fig. 6, the honest ones: VIQET's measures of LR and of HR_0 .. HR_8, and what MOS cannot see.

The paper reports (100 pictures of DIV2K) a MOS that rises by .232 to HR_3 and then falls by .03, moved by four measures: edge
acutance x1.67, texture acutance x1.58, illumination x1.17 and noise signature x1.04; and that JPEG and reduction cost .180. It
does not say that an unsharp mask buys the same MOS, nor what sharpness costs. Both are here: clipped samples, overshoot, grain
in flat areas and energy at the corner of the spectrum, each beside the unsharp mask (sigma 1) whose MOS is the same, picture by
picture::

    python -m experiments.table2 --data=../shared/photos/train --validation=../shared/photos/valid

Costs the two runs of ``eight_stages``, which measure all of it, and no time of its own. MOS here is the raw score, before it is
bounded to 1 .. 4.5; the measures are in VIQET's units, which depend on the photographs: compare factors.

What came out: HR_3 gains .398 with edge acutance x1.76, texture x1.64, illumination x1.22, noise x1.06, and the later stages
keep it (HR_8: .409). An unsharp mask buys that too, at more clipping (3.71 % of the samples, HR_3 2.53, HR_0 1.93), overshoot
(1.6 levels, HR_3 1.0) and grain (x1.60, HR_3 x1.39), but it lifts the corner of the spectrum half as much (5.3 dB, 9.6).
MOS does not see that without the anchor the colours run away: saturation x1.14 and 5.6 % clipped at HR_8.
"""

import numpy as np
from matplotlib.figure import Figure

from experiments import eight_stages, results, runs
from experiments.eight_stages import Run

FLAGS = eight_stages.experiment_flags()
# Table 2 of the paper: LR, HR_0 .. HR_8.
PAPER = {
    "mos_raw": (3.645, 3.825, 3.962, 4.028, 4.057, 4.050, 4.048, 4.038, 4.030, 4.030),
    "edge_acutance": (52.6, 56.6, 82.7, 92.5, 94.3, 93.1, 92.1, 89.5, 87.9, 87.3),
    "texture_acutance": (96.3, 108.7, 150.7, 167.8, 171.8, 171.4, 170.5, 168.1, 166.9, 166.1),
    "illumination": (156.8, 163.6, 182.7, 190.0, 191.4, 191.1, 190.7, 188.2, 186.8, 186.2),
    "noise_signature_index": (311.9, 314.8, 322.3, 325.3, 326.2, 326.7, 326.7, 327.6, 329.0, 331.1),
    "saturation": (116.8, 117.3, 117.7, 118.4, 118.0, 117.1, 117.7, 116.0, 114.6, 111.7),
    "color_warmth": (107.7, 107.8, 107.8, 108.0, 107.8, 107.2, 107.6, 107.8, 107.3, 106.1),
}
MEASURES = {
    "edge": "edge_acutance",
    "texture": "texture_acutance",
    "illumination": "illumination",
    "noise": "noise_signature_index",
    "saturation": "saturation",
    "warmth": "color_warmth",
    "range": "dynamic_range",
    "over %": "over_exposed",
    "under %": "under_exposed",
}
COSTS = {
    "clipped %": "clipped_percent",
    "overshoot": "overshoot_levels",
    "flat noise": "flat_noise_gain",
    "corner dB": "corner_gain_db",
}
NAMES = {"lr_half": "LR, half size", "lr_jpeg": "LR, JPEG", "hr_0": "HR0"}


def rows(run: Run) -> list[dict]:
    """The figures of LR (both), HR_0 and HR_n, each with its ``name``, in this order."""
    keys = (
        "mos_raw",
        *MEASURES.values(),
        *COSTS.values(),
        "unsharp_amount",
        *(f"unsharp_{key}" for key in COSTS.values()),
    )
    pictures = {NAMES[key]: run.summary["originals"][key] for key in NAMES}
    pictures |= {f"HR{stage['stage']}": stage for stage in run.stages}
    hr_0 = pictures["HR0"]["mos_raw"]
    found = [
        {"name": name} | {key: row[key] for key in keys if key in row}
        for name, row in pictures.items()
    ]
    return [row | {"mos_gain": row["mos_raw"] - hr_0} for row in found]


def by_picture(run: Run) -> list[dict]:
    """For each stage: how many pictures gain MOS, the least gain, and on how many HR_n costs less than the mask."""
    from rts_tf.storage import read_json

    found = []
    for stage in range(1, len(run.stages) + 1):
        pictures = read_json(run.directory / f"stage_{stage}" / "quality.json").values()
        gains = [picture["mos_gain"] for picture in pictures]
        matched = [
            picture for picture in pictures if picture["unsharp_clipped_percent"] is not None
        ]
        less = {
            key: sum(_less(p[key], p[f"unsharp_{key}"]) for p in matched) for key in COSTS.values()
        }
        found.append(
            {
                "pictures": len(gains),
                "gain": sum(g > 0 for g in gains),
                "least_gain": min(gains),
                "with_a_mask": len(matched),
                "costs_less_than_the_mask": less,
            }
        )
    return found


def _less(own: float | None, mask: float | None) -> bool:
    return own is not None and mask is not None and own < mask


def markdown(result: dict) -> str:
    parts = [
        "# Table 2 and Fig. 6: what VIQET says of the stages, and what it does not\n\n"
        + eight_stages.heading(result)
    ]
    for anchor, table in result["rows"].items():
        rows = [
            [
                r["name"],
                f"{r['mos_raw']:.3f}",
                f"{r['mos_gain']:+.3f}",
                *(f"{r[key]:.1f}" for key in MEASURES.values()),
            ]
            for r in table
        ]
        parts.append(results.table([f"anchor {anchor}", "MOS", "gain", *MEASURES], rows))
    parts.append(
        "Means over the pictures. LR, half size: what the network learns from, enlarged again by Lanczos. LR, JPEG: HR0"
        " compressed, at its own size.\n\n## Beside the paper\n\nGain in MOS and factors over HR0, ours / the paper's.\n"
    )
    shown = list(MEASURES)[:6]
    for anchor, table in result["rows"].items():
        rows = []
        for i, r in enumerate(table[1:]):
            gains = f"{r['mos_gain']:+.3f} / {PAPER['mos_raw'][i] - PAPER['mos_raw'][1]:+.3f}"
            factors = [
                (r[key] / table[2][key], PAPER[key][i] / PAPER[key][1])
                for key in map(MEASURES.get, shown)
            ]
            rows.append([r["name"], gains, *(f"{own:.2f} / {paper:.2f}" for own, paper in factors)])
        parts.append(results.table([f"anchor {anchor}", "MOS", *shown], rows))
    parts.append(
        "## What the sharpness costs\n\nIn brackets: what the same MOS costs when bought with an unsharp mask.\n"
    )
    for anchor, table in result["rows"].items():
        rows = [
            [
                r["name"],
                f"{r['mos_gain']:+.3f}",
                _number(r.get("unsharp_amount")),
                *(_cost(r, key) for key in COSTS.values()),
            ]
            for r in table[2:]
        ]
        parts.append(results.table([f"anchor {anchor}", "gain", "mask", *COSTS], rows))
    parts.append(
        "Mask: amount of the unsharp mask (sigma 1) with the same MOS, mean over the pictures where an amount of 3 or less"
        " reaches it. Clipped: samples at 0 or 255; overshoot: mean distance beyond the 5x5 range of HR0, in levels; flat"
        " noise: factor on the grain where HR0 is flattest; corner: energy at the corner of the spectrum (both |f| > .45).\n"
    )
    lines = [line for anchor in result["rows"] for line in _verdict(anchor, result)]
    parts.append("\n".join(f"- {line}" for line in lines) + "\n\n![Fig. 6](table2_figure6.png)\n")
    return "\n".join(parts)


def _verdict(anchor: str, result: dict) -> list[str]:
    stages, pictures = result["rows"][anchor][3:], result["by_picture"][anchor]
    best = int(np.argmax([row["mos_gain"] for row in stages]))
    shown = min(3, len(stages))  # the stage that the paper selects
    at = pictures[shown - 1]
    less = ", ".join(
        f"{heading} on {at['costs_less_than_the_mask'][key]}" for heading, key in COSTS.items()
    )
    return [
        f"Anchor {anchor}: MOS is highest at HR{best + 1}, {stages[best]['mos_gain']:+.3f}, and"
        f" {stages[-1]['mos_gain']:+.3f} at HR{len(stages)}.",
        f"Anchor {anchor}: HR{shown} gains on {at['gain']} of {at['pictures']} pictures, at least {at['least_gain']:+.3f}. Of"
        f" {at['with_a_mask']} that have a mask of equal MOS, it costs less than that: {less}.",
    ]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _cost(row: dict, key: str) -> str:
    own, mask = _number(row[key]), _number(row.get(f"unsharp_{key}"))
    return f"{own} ({mask})" if mask else own


def figure(result: dict) -> Figure:
    """Above Fig. 6, MOS and the measures that move it; below what it costs, beside the mask of equal MOS."""
    drawing = Figure(figsize=(9, 5.6), layout="constrained")
    above, below = drawing.subplots(2, 3)
    rows = {anchor: table[2:] for anchor, table in result["rows"].items()}
    first = next(iter(rows))
    numbers = np.arange(len(rows[first]))
    paper = {key: np.array(values[1 : len(numbers) + 1]) for key, values in PAPER.items()}
    for anchor, table in rows.items():
        colour, label = eight_stages.ANCHORS[anchor], f"RTS, anchor {anchor}"
        above[0].plot(
            numbers,
            [row["mos_gain"] for row in table],
            "o-",
            color=colour,
            markersize=4,
            label=label,
        )
        for axes, key in zip(
            below, ("clipped_percent", "flat_noise_gain", "corner_gain_db"), strict=True
        ):
            axes.plot(
                numbers,
                np.array([row[key] for row in table], float),
                "o-",
                color=colour,
                markersize=4,
                label=label,
            )
            mask = [table[0][key], *(row[f"unsharp_{key}"] for row in table[1:])]
            axes.plot(
                numbers,
                np.array(mask, float),
                "s:",
                color=colour,
                markersize=3,
                label="the unsharp mask of its MOS",
            )
    above[0].plot(numbers, paper["mos_raw"] - paper["mos_raw"][0], "k.:", label="the paper")
    above[0].set(title="MOS above HR0")
    for axes, (upper, lower) in zip(
        above[1:], (("edge", "texture"), ("illumination", "noise")), strict=True
    ):
        for name, colour in ((upper, "#3b7fe0"), (lower, "#2f9e62")):
            key = MEASURES[name]
            factors, label = (
                [row[key] / rows[first][0][key] for row in rows[first]],
                f"{name}, anchor {first}",
            )
            axes.plot(numbers, factors, "o-", color=colour, markersize=4, label=label)
            axes.plot(
                numbers, paper[key] / paper[key][0], ".:", color=colour, label=f"{name}, the paper"
            )
        axes.set(title=f"factor on {upper}, {lower}")
    titles = (
        "clipped samples, %",
        "factor on the grain of flat areas",
        "corner of the spectrum, dB",
    )
    for axes, title in zip(below, titles, strict=True):
        axes.set(title=title)
    for axes in (*above, *below):
        axes.set(xticks=numbers, xticklabels=[f"HR{n}" for n in numbers])
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.25)
        axes.legend(fontsize=6)
    return drawing


def experiment() -> None:
    found = eight_stages.trained(FLAGS, FLAGS.anchors)
    result = eight_stages.record(FLAGS, "table2", found) | {
        "rows": {anchor: rows(run) for anchor, run in found.items()},
        "by_picture": {anchor: by_picture(run) for anchor, run in found.items()},
        "paper": {"rows": ["LR", *(f"HR{n}" for n in range(9))], **PAPER},
    }
    results.save(FLAGS.output, "table2", result, markdown(result), {"figure6": figure(result)})


if __name__ == "__main__":
    runs.start(FLAGS, experiment)
