"""Table 2 and Fig. 6: VIQET's measures of LR and of HR_0 .. HR_8, and what MOS cannot see.

The paper reports (100 images of DIV2K) a MOS that rises by .232 to HR_3 and then falls by .03,
moved by four measures: edge acutance x1.67, texture acutance x1.58, illumination x1.17 and noise
signature x1.04. JPEG and reduction cost .180. It does not say that an unsharp mask buys the same
MOS, nor what sharpness costs. Both are shown here: clipped samples, overshoot, grain in flat areas
and energy at the high-frequency diagonal (the corner of the spectrum), each beside the unsharp mask
(sigma 1) with the same MOS, image by image::

    python -m experiments.table2 --data=../shared/photos/train --validation=../shared/photos/valid

Costs the two runs of ``eight_stages``, which measure all of it, and no time of its own. MOS is the
raw score, before it is bounded to 1 .. 4.5. The measures are in VIQET's units and depend on the
images, so compare factors.

What came out: HR_3 gains .398 with edge acutance x1.76, texture x1.64, illumination x1.22 and noise
x1.06, and the later stages keep it (HR_8: .409). An unsharp mask buys that too, with more clipping
(3.71 % of the samples; HR_3 2.53, HR_0 1.93), more overshoot (1.6 levels; HR_3 1.0) and more grain
(x1.60; HR_3 x1.39), but it lifts the corner of the spectrum half as much (5.3 dB; HR_3 9.6). MOS
does not see that the colours run away without the anchor: saturation x1.14 and 5.6 % clipped at
HR_8.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
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


def rows(run: Run) -> list[dict[str, Any]]:
    """Return the figures of LR (both), HR_0 and HR_n, each with its ``name``, in this order."""
    unsharp = [f"unsharp_{key}" for key in COSTS.values()]
    keys = ("mos_raw", *MEASURES.values(), *COSTS.values(), "unsharp_amount", *unsharp)
    views = {NAMES[key]: run.summary["originals"][key] for key in NAMES}
    views |= {f"HR{stage['stage']}": stage for stage in run.stages}
    hr_0 = views["HR0"]["mos_raw"]
    found = [
        {"name": name} | {key: figures[key] for key in keys if key in figures}
        for name, figures in views.items()
    ]
    return [row | {"mos_gain": row["mos_raw"] - hr_0} for row in found]


def by_image(run: Run) -> list[dict[str, Any]]:
    """Count the images that are good, for each stage.

    Returns:
        For each stage the number of images, how many gain MOS and the least gain, how many have an
        unsharp mask of equal MOS, and for each of COSTS on how many of these HR_n costs less.
    """
    from rts_tf.storage import read_json

    found = []
    for stage in range(1, len(run.stages) + 1):
        file = run.directory / f"stage_{stage}" / "quality.json"
        images = list((read_json(file) or {}).values())
        gains = [image["mos_gain"] for image in images]
        matched = [image for image in images if image["unsharp_clipped_percent"] is not None]
        less = {
            key: sum(_less(image[key], image[f"unsharp_{key}"]) for image in matched)
            for key in COSTS.values()
        }
        found.append(
            {
                "images": len(gains),
                "gain": sum(gain > 0 for gain in gains),
                "least_gain": min(gains),
                "with_a_mask": len(matched),
                "costs_less_than_the_mask": less,
            }
        )
    return found


def _less(own: float | None, unsharp: float | None) -> bool:
    return own is not None and unsharp is not None and own < unsharp


def markdown(result: dict[str, Any]) -> str:
    """Return the page: the measures, the paper's beside them, the costs, and what they say."""
    tables = result["rows"].items()
    parts = [
        "# Table 2 and Fig. 6: what VIQET says of the stages, and what it does not see\n\n"
        + eight_stages.heading(result)
    ]
    parts += [_measures(anchor, table) for anchor, table in tables]
    parts.append(
        "These are means over the images. LR, half size, is what the network learns from, enlarged"
        " by Lanczos. LR, JPEG is HR0 compressed at its own size.\n\n## Beside the paper\n\n"
        "Gain in MOS, and factors over HR0: ours / the paper's.\n"
    )
    parts += [_beside_the_paper(anchor, table) for anchor, table in tables]
    parts.append(
        "## What the sharpness costs\n\nIn brackets is what the same MOS costs with an unsharp"
        " mask.\n"
    )
    parts += [_costs(anchor, table) for anchor, table in tables]
    parts.append(
        "Amount is that of the unsharp mask (sigma 1) with the same MOS, the mean over the images"
        " where an amount of 3 or less reaches it. Clipped are samples at 0 or 255. Overshoot is"
        " the mean distance beyond the 5x5 range of HR0, in levels. Flat noise is the factor on"
        " the grain where HR0 is flattest. Corner is the energy at the high-frequency diagonal"
        " (the corner of the spectrum, both |f| > .45).\n"
    )
    lines = [line for anchor in result["rows"] for line in _verdict(anchor, result)]
    parts.append(results.bullets(lines) + "\n\n![Fig. 6](table2_figure6.png)\n")
    return "\n".join(parts)


def _measures(anchor: str, table: list[dict[str, Any]]) -> str:
    """The table of VIQET's measures of one run."""
    lines = [
        [
            row["name"],
            f"{row['mos_raw']:.3f}",
            f"{row['mos_gain']:+.3f}",
            *(f"{row[key]:.1f}" for key in MEASURES.values()),
        ]
        for row in table
    ]
    return results.table([f"anchor {anchor}", "MOS", "gain", *MEASURES], lines)


def _beside_the_paper(anchor: str, table: list[dict[str, Any]]) -> str:
    """The table of factors over HR_0 of one run, which the paper does not have of half-size LR."""
    shown = dict(list(MEASURES.items())[:6])
    hr_0, lines = table[2], []
    for i, row in enumerate(table[1:]):
        gains = f"{row['mos_gain']:+.3f} / {PAPER['mos_raw'][i] - PAPER['mos_raw'][1]:+.3f}"
        factors = [
            f"{row[key] / hr_0[key]:.2f} / {PAPER[key][i] / PAPER[key][1]:.2f}"
            for key in shown.values()
        ]
        lines.append([row["name"], gains, *factors])
    return results.table([f"anchor {anchor}", "MOS", *shown], lines)


def _costs(anchor: str, table: list[dict[str, Any]]) -> str:
    """The table of what the MOS of one run costs."""
    lines = []
    for row in table[2:]:
        cells = [_cost(row, key) for key in COSTS.values()]
        amount = _number(row.get("unsharp_amount"))
        lines.append([row["name"], f"{row['mos_gain']:+.3f}", amount, *cells])
    return results.table([f"anchor {anchor}", "gain", "amount", *COSTS], lines)


def _verdict(anchor: str, result: dict[str, Any]) -> list[str]:
    """What the tables of one run say."""
    stages, images = result["rows"][anchor][3:], result["by_image"][anchor]
    best = int(np.argmax([row["mos_gain"] for row in stages]))
    shown = min(3, len(stages))  # the stage that the paper selects
    at = images[shown - 1]
    less = ", ".join(
        f"{heading} on {at['costs_less_than_the_mask'][key]}" for heading, key in COSTS.items()
    )
    at_the_end = f" At HR{len(stages)} the gain is {stages[-1]['mos_gain']:+.3f}."
    last = at_the_end if best + 1 < len(stages) else ""
    return [
        f"Anchor {anchor}: MOS gains most at HR{best + 1}, {stages[best]['mos_gain']:+.3f}.{last}",
        f"Anchor {anchor}: HR{shown} gains MOS on {at['gain']} of {at['images']} images, at least"
        f" {at['least_gain']:+.3f}. {at['with_a_mask']} images have an unsharp mask of equal MOS."
        f" HR{shown} costs less than that mask: {less}.",
    ]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _cost(row: dict[str, Any], key: str) -> str:
    own, unsharp = _number(row[key]), _number(row.get(f"unsharp_{key}"))
    return f"{own} ({unsharp})" if unsharp else own


def figure(result: dict[str, Any]) -> Figure:
    """Draw Fig. 6, MOS and the measures that move it, and below it what the MOS costs."""
    drawing = Figure(figsize=(9, 5.6), layout="constrained")
    above, below = drawing.subplots(2, 3)
    tables = {anchor: table[2:] for anchor, table in result["rows"].items()}
    numbers = np.arange(len(next(iter(tables.values()))))
    for anchor, table in tables.items():
        style = {"color": eight_stages.ANCHORS[anchor], "markersize": 4}
        gains = [row["mos_gain"] for row in table]
        above[0].plot(numbers, gains, "o-", label=f"RTS, anchor {anchor}", **style)
    paper = np.array(PAPER["mos_raw"][1 : len(numbers) + 1])
    above[0].plot(numbers, paper - paper[0], "k.:", label="the paper")
    above[0].set(title="MOS above HR0")
    first, table = next(iter(tables.items()))
    for axes, names in zip(above[1:], (("edge", "texture"), ("illumination", "noise"))):
        _draw_factors(axes, names, first, table)
    titles = {
        "clipped_percent": "clipped samples, %",
        "flat_noise_gain": "factor on the grain of flat areas",
        "corner_gain_db": "corner of the spectrum, dB",
    }
    for axes, (key, title) in zip(below, titles.items(), strict=True):
        _draw_cost(axes, key, tables)
        axes.set(title=title)
    for axes in (*above, *below):
        axes.set(xticks=numbers, xticklabels=[f"HR{n}" for n in numbers])
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.25)
        axes.legend(fontsize=6)
    return drawing


def _draw_factors(
    axes: Axes, names: Sequence[str], anchor: str, table: list[dict[str, Any]]
) -> None:
    """Draw the factors over HR_0 of two measures, of one run and of the paper."""
    for name, colour in zip(names, ("#3b7fe0", "#2f9e62"), strict=True):
        key, numbers = MEASURES[name], range(len(table))
        factors = [row[key] / table[0][key] for row in table]
        paper = np.array(PAPER[key][1 : len(table) + 1])
        style = {"color": colour, "markersize": 4}
        axes.plot(numbers, factors, "o-", label=f"{name}, anchor {anchor}", **style)
        axes.plot(numbers, paper / paper[0], ".:", color=colour, label=f"{name}, the paper")
    axes.set(title=f"factor on {', '.join(names)}")


def _draw_cost(axes: Axes, key: str, tables: dict[str, list[dict[str, Any]]]) -> None:
    """Draw one of the costs of each run, beside that of the unsharp mask of equal MOS."""
    for anchor, table in tables.items():
        colour, numbers = eight_stages.ANCHORS[anchor], range(len(table))
        own = np.array([row[key] for row in table], float)
        style = {"color": colour, "markersize": 4}
        axes.plot(numbers, own, "o-", label=f"RTS, anchor {anchor}", **style)
        unsharp = [table[0][key], *(row[f"unsharp_{key}"] for row in table[1:])]
        style = {"color": colour, "markersize": 3}
        label = "the unsharp mask of its MOS"
        axes.plot(numbers, np.array(unsharp, float), "s:", label=label, **style)


def experiment() -> None:
    """Collect the figures of the runs, and write the results."""
    found = eight_stages.trained(FLAGS, FLAGS.anchors)
    result = eight_stages.record(FLAGS, "table2", found) | {
        "rows": {anchor: rows(run) for anchor, run in found.items()},
        "by_image": {anchor: by_image(run) for anchor, run in found.items()},
        "paper": {"rows": ["LR", *(f"HR{n}" for n in range(9))], **PAPER},
    }
    results.save(FLAGS.output, "table2", result, markdown(result), {"figure6": figure(result)})


if __name__ == "__main__":
    runs.start(FLAGS, experiment)
