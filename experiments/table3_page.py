"""The tables, the findings and the figure of experiments.table3, made from its record."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from experiments import results
from rts_tf.config import NETWORKS

PAPER = {  # MOS of HR_0 .. HR_3
    "residual1": (2.384, 2.639, 2.701, 2.712),
    "residual3": (2.384, 2.637, 2.719, 2.720),
    "residual6": (2.384, 2.644, 2.725, 2.744),
    "srcnn": (2.384, 2.603, 2.680, 2.680),
    "vdsr": (2.384, 2.599, 2.668, 2.669),
    "srresnet": (2.384, 2.617, 2.720, 2.703),
    "edsr": (2.384, 2.632, 2.725, 2.737),
}
SHOWN_COSTS = {"clipped_percent": ".2f", "flat_noise_gain": ".2f", "corner_gain_db": ".1f"}
COSTS = ("unsharp_amount", *SHOWN_COSTS, *(f"unsharp_{key}" for key in SHOWN_COSTS))


def findings(networks: dict[str, dict[str, Any]]) -> list[str]:
    """Return what the rows of the ``networks`` say, in sentences."""
    falling = [name for name, network in networks.items() if not network["rises"]]
    holds = f"not with {', '.join(falling)}" if falling else "with all of them"
    lines = [f"MOS(HR_2) > MOS(HR_1) > MOS(HR_0): {holds}."]
    for name, network in networks.items():
        first, second = (np.array(network["mos_gain_by_image"][n]) for n in (0, 1))
        if (second <= first).any() or (first <= 0).any():
            lines.append(
                f"{name}: HR_1 is above HR_0 on {(first > 0).sum()} and HR_2 above HR_1 on"
                f" {(second > first).sum()} of the {len(first)} images."
            )
    if {"residual3", "edsr"} <= set(networks):
        light, heavy = networks["residual3"], networks["edsr"]
        above = light["mos"][3] > heavy["mos"][1]
        lines.append(
            f"residual3 at HR_3, {light['mos'][3]:.3f}, is {'above' if above else 'not above'} EDSR"
            f" at HR_1, {heavy['mos'][1]:.3f} (paper: 2.720, 2.632), with"
            f" {heavy['macs_per_pixel'] / light['macs_per_pixel']:.0f} times fewer MACs."
        )
    if missing := [name for name in NETWORKS if name not in networks]:
        lines.append(f"Not there: {', '.join(missing)}.")
    return lines


def page(result: dict[str, Any]) -> str:
    """Return the page: the table of MOS, the findings, what HR_3 costs, and the split."""
    networks = result["networks"]
    some = next(iter(networks.values()))
    config, images = some["settings"], some["images"]
    text = (
        f"# Table 3: the stages with every network\n\n`{result['command']}`\n\n"
        f"{config['first_steps']} + {len(some['mos']) - 2} x {config['later_steps']} steps of"
        f" {config['batch']} patches of {config['patch']} x {config['patch']}, seed"
        f" {config['seed']}, the same for all networks; {images['training_images']} training images"
        f" and {images['validation_images']} validation images, measured whole.\n\n"
        f"{_mos_table(networks)}\nMOS is raw. The paper's MOS is shown above its HR_0 of 2.384; it"
        f" is that of eighths of images.\n\n{results.bullets(result['findings'])}\n\n"
        "What HR_3 costs, and in brackets what the unsharp mask of the same MOS costs:\n\n"
        f"{_cost_table(networks)}\n![MOS by stage, and against the MACs of a network]"
        "(table3_mos.png)\n"
    )
    return text + _split(result["split"], networks) if result["split"] else text


def _mos_table(networks: dict[str, dict[str, Any]]) -> str:
    header = [
        "",
        "parameters",
        "MACs a pixel",
        *(f"HR{n}" for n in range(4)),
        "paper: HR1",
        "HR2",
        "HR3",
        "minutes, A + B",
    ]
    rows = []
    for name, network in networks.items():
        paper = PAPER.get(name)
        above = [f"+{mos - paper[0]:.3f}" for mos in paper[1:]] if paper else [""] * 3
        phases = (network["phase_a_seconds"], network["phase_b_seconds"])
        rows.append(
            [
                name,
                f"{network['parameters']:,}",
                f"{network['macs_per_pixel']:,}",
                *(f"{mos:.3f}" for mos in network["mos"]),
                *above,
                " + ".join(f"{sum(seconds) / 60:.1f}" for seconds in phases),
            ]
        )
    return results.table(header, rows)


def _cost_table(networks: dict[str, dict[str, Any]]) -> str:
    header = [
        "",
        "ratio %",
        "MOS gain",
        "clipped %",
        "flat noise",
        "corner dB",
        "drift of the network, levels",
    ]
    rows = []
    for name, network in networks.items():
        last = network["costs"][-1]
        cells = [
            f"{_number(last[key], form)} ({_number(last[f'unsharp_{key}'], form)})"
            for key, form in SHOWN_COSTS.items()
        ]
        ratio, drift = network["ratio_percent"][-1], network["network_drift_levels"][-1]
        gain = network["mos"][-1] - network["mos"][0]
        rows.append([name, f"{ratio:.2f}", f"{gain:+.3f}", *cells, f"{drift:+.2f}"])
    return results.table(header, rows)


def _split(measured: dict[str, Any], networks: dict[str, dict[str, Any]]) -> str:
    """The section about the paper's 4 x 2 split; ``measured`` is by network."""
    header = [
        "",
        "",
        "whole",
        "eighths of the whole",
        "eighths alone",
        "beside a cut, levels",
        "largest, levels",
    ]
    rows = []
    for name, split in measured.items():
        whole = [f"{mos:.3f}" for mos in networks[name]["mos"]]
        rows.append([name, "HR0", whole[0], f"{split['hr_0']:.3f}", "", "", ""])
        for n, stage in enumerate(split["stages"], 1):
            mos = [f"{stage[key]:.3f}" for key in ("cut", "alone")]
            levels = [f"{stage['seam_levels']:.2f}", f"{stage['most_levels']:.1f}"]
            rows.append([name, f"HR{n}", whole[n], *mos, *levels])
    return (
        "\n## The paper's 4 x 2 split\n\nRaw MOS of whole images, of eighths that are cut from the"
        " enhanced whole, and of eighths that are enhanced alone. The last two columns are the"
        " difference of the latter two: its mean within 8 pixels of a cut, and the largest.\n\n"
        + results.table(header, rows)
    )


def _number(value: float | None, form: str) -> str:
    """A number; a dash stands for None, where no image has the figure."""
    return "–" if value is None else f"{value:{form}}"


def figure(result: dict[str, Any]) -> Figure:
    """Draw MOS by stage, and HR_1 and HR_3 against the MACs of a network."""
    drawing = Figure(figsize=(9, 4), layout="constrained")
    by_stage, by_macs = drawing.subplots(1, 2)
    stages = range(4)
    for i, (name, network) in enumerate(result["networks"].items()):
        gains = np.array(network["mos"]) - network["mos"][0]
        by_stage.plot(stages, gains, "o-", color=f"C{i}", markersize=4, label=name)
        macs = network["macs_per_pixel"]
        by_macs.plot([macs, macs], [gains[1], gains[3]], "-", color=f"C{i}", alpha=0.4)
        by_macs.plot(macs, gains[1], "o", color=f"C{i}", markerfacecolor="white")
        by_macs.plot(macs, gains[3], "o", color=f"C{i}")
        if name == "edsr":
            by_macs.axhline(gains[1], color=f"C{i}", linestyle=":", linewidth=1)
    names = [f"HR_{n}" for n in stages]
    by_stage.set(xticks=stages, xticklabels=names, ylabel="MOS above HR_0")
    by_stage.legend(fontsize=8)
    by_macs.set(xscale="log", xlabel="MACs a pixel", title="HR_1 (white) and HR_3 (full)")
    by_macs.title.set_fontsize(9)
    for axes in (by_stage, by_macs):
        axes.margins(0.12)
        axes.grid(alpha=0.25)
    return drawing
