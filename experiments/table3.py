"""Table 3: the stages with every network. Is a cheap network trained three times better than a dear one trained once?

The paper reports (eighths of 100 pictures of DIV2K) a MOS of 2.384 for HR_0 and, at HR_1 .. HR_3, 2.637 2.719 2.720 for
residual3 and 2.632 2.725 2.737 for EDSR: HR_2 is above HR_1 with every network, and residual3 at HR_3 above EDSR at HR_1::

    python -m experiments.table3 --data=../shared/photos/train --validation=../shared/photos/valid

Here whole pictures are judged, by exact tiles; ``--split=residual3`` judges eighths besides, as the paper did (``split.py``).
All networks see the same batches: 1500 + 2 x 600 steps of 8 patches of 64 x 64, of the 16 smallest training photographs, and
are judged on the 8 smallest validation photographs of at least a megapixel: Phase B of VDSR makes .1 megapixels a second. A
stage of the paper's sees 80,000 patches of 256 x 256 twenty times: 2,100 times as many pixels as stage 1 here.

All of it takes an hour and a half of one core that multiplies bfloat16, nine tenths of it for VDSR, EDSR and SRResNet; the
table's times are of one core with other work on the other, and of both for residual1 and residual3. ``--quick`` shows in half
a minute that it works.

What came out: MOS(HR_2) > MOS(HR_1) > MOS(HR_0) with every network, and residual3 at HR_3, 3.527, is far above EDSR at HR_1,
3.386, with a twelfth of its multiplications. All eight lie within .05 at HR_3, EDSR first, VDSR last: the stage counts, the
network hardly. The gains are half as large again as the paper's. Enhancing eighths alone changes their MOS by .001 at most,
though samples beside a cut change by .8 levels in the mean and by up to 91; that eighths score 1.9 below whole pictures is
VIQET, which scales small pictures up.

Each network's run is kept below --runs, and the table shows those that are there: ``--networks=residual1,srcnn`` trains these
and can be called again for others.
"""

import dataclasses
import json
import pathlib
import shutil
import zlib

import numpy as np
from absl import flags
from matplotlib.figure import Figure

from experiments import results, runs, split
from rts_tf.config import NETWORKS, Config
from rts_tf.errors import ConfigError

FLAGS = runs.experiment_flags()
flags.DEFINE_list(
    "networks",
    list(NETWORKS),
    "Networks to train; others that are there are shown too.",
    flag_values=FLAGS,
)
flags.DEFINE_list(
    "split", [], "Networks for which the paper's 4 x 2 split is measured too.", flag_values=FLAGS
)
flags.DEFINE_integer(
    "training_pictures", 16, "CalibrationCrops to train on, the smallest.", flag_values=FLAGS
)
flags.DEFINE_integer(
    "pictures",
    8,
    "CalibrationCrops to judge, the smallest of at least a megapixel.",
    flag_values=FLAGS,
)

STAGES = 3
# The deep ones are trained with 1e-4 by their authors (VDSR: with clipped gradients); these, below our 1e-3, are a judgement.
LEARNING_RATES = {"vdsr": 3e-4, "srresnet": 5e-4, "edsr": 5e-4}
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


def smallest(config: Config) -> Config:
    """``config`` on copies of the smallest of its photographs, in PNG, as many as the flags say."""
    from PIL import Image

    from rts_tf.data.datasets import training_and_validation

    counts = {"data": (FLAGS.training_pictures, 0), "validation": (FLAGS.pictures, 1e6)}
    key = zlib.crc32(json.dumps([config.data, config.validation, *counts.values()]).encode())
    folder = pathlib.Path(FLAGS.runs, f"table3_photographs_{key:08x}").resolve()
    for (name, (count, least)), photos in zip(
        counts.items(), training_and_validation(config), strict=True
    ):
        if (folder / name).exists():
            continue
        pixels = {photo: np.prod(photos.read(photo).shape[:2]) for photo in photos.names}
        chosen = sorted(
            photos.names, key=lambda photo: (pixels[photo] < least, pixels[photo], photo)
        )[:count]
        partial = folder / f"{name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for i, photo in enumerate(chosen):
            Image.fromarray(photos.read(photo)).save(
                partial / f"{i:03d}_{pathlib.Path(photo).stem}.png"
            )
        partial.rename(folder / name)
    return dataclasses.replace(
        config, data=str(folder / "data"), validation=str(folder / "validation")
    )


def configuration(network: str, photographs: Config) -> Config:
    """The settings of the run of ``network``."""
    own = runs.configuration(
        FLAGS,
        network=network,
        stages=STAGES,
        stop_early=False,
        first_steps=1500,
        later_steps=600,
        patch=64,
        judge="mos",
        learning_rate=LEARNING_RATES.get(network, 1e-3),
    )
    return dataclasses.replace(own, data=photographs.data, validation=photographs.validation)


def row(run: pathlib.Path) -> dict:
    """What the table says of a finished run; MOS is raw (not held in 1 .. 4.5), of HR_0 .. HR_3."""
    from rts_tf import networks
    from rts_tf.storage import read_json

    summary = read_json(run / "summary.json")
    stages, config = summary["stages"], summary["config"]
    pictures = [read_json(run / f"stage_{n}" / "quality.json") for n in range(1, STAGES + 1)]
    mos = [summary["originals"]["hr_0"]["mos_raw"], *(stage["mos_raw"] for stage in stages)]
    return {
        "parameters": summary["parameters"],
        "multiplications": networks.macs_per_pixel(networks.build(config["network"])),
        "mos": mos,
        "rises": bool(mos[2] > mos[1] > mos[0]),
        "mos_gain_by_picture": [
            [quality["mos_gain"] for quality in stage.values()] for stage in pictures
        ],
        "ratio_percent": [stage["difference_ratio_percent"] for stage in stages],
        "costs": [{key: stage[key] for key in COSTS} for stage in stages],
        "network_drift_levels": [stage["network_drift_levels"] for stage in stages],
        "phase_a_seconds": [round(stage["phase_a_seconds"], 1) for stage in stages],
        "phase_b_seconds": [round(stage["phase_b_seconds"], 1) for stage in stages],
        "pictures": {key: summary[key] for key in ("training_pictures", "validation_pictures")},
        "settings": runs.settings(config),
    }


def findings(networks: dict[str, dict]) -> list[str]:
    """What the table says, in words."""
    lines = []
    falling = [name for name, network in networks.items() if not network["rises"]]
    lines.append(
        f"MOS(HR_2) > MOS(HR_1) > MOS(HR_0): {'all of them' if not falling else 'not ' + ', '.join(falling)}."
    )
    for name, network in networks.items():
        first, second = (np.array(network["mos_gain_by_picture"][n]) for n in (0, 1))
        if (second <= first).any() or (first <= 0).any():
            lines.append(
                f"{name}: HR_1 is above HR_0 on {(first > 0).sum()} and HR_2 above HR_1 on {(second > first).sum()} of the"
                f" {len(first)} pictures."
            )
    if {"residual3", "edsr"} <= set(networks):
        light, heavy = networks["residual3"], networks["edsr"]
        above = light["mos"][3] > heavy["mos"][1]
        lines.append(
            f"residual3 at HR_3, {light['mos'][3]:.3f}, is {'above' if above else 'not above'} EDSR at HR_1,"
            f" {heavy['mos'][1]:.3f} (paper: 2.720, 2.632), with"
            f" {heavy['multiplications'] / light['multiplications']:.0f} times fewer multiplications."
        )
    if missing := [name for name in NETWORKS if name not in networks]:
        lines.append(f"Not there: {', '.join(missing)}.")
    return lines


def markdown(result: dict) -> str:
    networks, minutes = result["networks"], lambda seconds: f"{sum(seconds) / 60:.1f}"
    rows, costs = [], []
    for name, n in networks.items():
        paper = PAPER.get(name)
        rows.append(
            [
                name,
                f"{n['parameters']:,}",
                f"{n['multiplications']:,}",
                *(f"{mos:.3f}" for mos in n["mos"]),
                *(f"+{mos - paper[0]:.3f}" if paper else "" for mos in (paper or [0] * 4)[1:]),
                f"{minutes(n['phase_a_seconds'])} + {minutes(n['phase_b_seconds'])}",
            ]
        )
        last = n["costs"][-1]
        pairs = [(last[key], last[f"unsharp_{key}"], f) for key, f in SHOWN_COSTS.items()]
        cells = [f"{_number(own, f)} ({_number(mask, f)})" for own, mask, f in pairs]
        gain, drift = n["mos"][-1] - n["mos"][0], n["network_drift_levels"][-1]
        costs.append(
            [name, f"{n['ratio_percent'][-1]:.2f}", f"{gain:+.3f}", *cells, f"{drift:+.2f}"]
        )
    some = next(iter(networks.values()))
    config, pictures = some["settings"], some["pictures"]
    text = (
        f"# Table 3: the stages with every network\n\n`{result['command']}`\n\n{config['first_steps']} + {STAGES - 1} x"
        f" {config['later_steps']} steps of {config['batch']} patches of {config['patch']} x {config['patch']}, seed"
        f" {config['seed']}, the same for all; {pictures['training_pictures']} photographs to train on,"
        f" {pictures['validation_pictures']} to judge, whole.\n\n"
    )
    header = [
        "",
        "parameters",
        "multiplications a pixel",
        "HR0",
        "HR1",
        "HR2",
        "HR3",
        "paper: HR1",
        "HR2",
        "HR3",
        "minutes, A + B",
    ]
    text += results.table(header, rows)
    text += "\nRaw MOS; the paper's above its HR_0 of 2.384, on eighths of pictures.\n\n"
    text += "\n".join(f"- {line}" for line in result["findings"])
    text += "\n\nWhat HR_3 costs, and in brackets the unsharp mask of the same MOS:\n\n"
    header = [
        "",
        "ratio %",
        "MOS gain",
        "clipped %",
        "flat noise",
        "corner dB",
        "drift of the network, levels",
    ]
    text += (
        results.table(header, costs)
        + "\n![MOS by stage, and against the cost of a network](table3_mos.png)\n"
    )
    if not result["split"]:
        return text
    rows = []
    for name, measured in result["split"].items():
        rows.append(
            [name, "HR0", f"{networks[name]['mos'][0]:.3f}", f"{measured['hr_0']:.3f}", "", "", ""]
        )
        for n, stage in enumerate(measured["stages"], 1):
            figures = (stage["cut"], stage["alone"], stage["seam_levels"], stage["most_levels"])
            cells = [
                f"{figure:{f}}"
                for figure, f in zip(figures, (".3f", ".3f", ".2f", ".1f"), strict=True)
            ]
            rows.append([name, f"HR{n}", f"{networks[name]['mos'][n]:.3f}", *cells])
    header = [
        "",
        "",
        "whole",
        "eighths of the whole",
        "eighths alone",
        "beside a cut, levels",
        "largest, levels",
    ]
    return text + (
        "\n## The paper's 4 x 2 split\n\nRaw MOS of whole pictures, of eighths cut from the enhanced whole, and of eighths"
        " enhanced alone; the mean difference of the last two within 8 pixels of a cut, and the largest.\n\n"
        + results.table(header, rows)
    )


def _number(value: float | None, form: str) -> str:
    """None, which no picture has a figure for, is a dash."""
    return "–" if value is None else f"{value:{form}}"


def figure(result: dict) -> Figure:
    """MOS by stage, and HR_1 and HR_3 against the cost of a network."""
    drawing = Figure(figsize=(9, 4), layout="constrained")
    by_stage, by_cost = drawing.subplots(1, 2)
    for i, (name, network) in enumerate(result["networks"].items()):
        gains = np.array(network["mos"]) - network["mos"][0]
        by_stage.plot(range(STAGES + 1), gains, "o-", color=f"C{i}", markersize=4, label=name)
        at = network["multiplications"]
        by_cost.plot([at, at], [gains[1], gains[3]], "-", color=f"C{i}", alpha=0.4)
        by_cost.plot(at, gains[1], "o", color=f"C{i}", markerfacecolor="white")
        by_cost.plot(at, gains[3], "o", color=f"C{i}")
        if name == "edsr":
            by_cost.axhline(gains[1], color=f"C{i}", linestyle=":", linewidth=1)
    by_stage.set(
        xticks=range(STAGES + 1),
        xticklabels=[f"HR_{n}" for n in range(STAGES + 1)],
        ylabel="MOS above HR_0",
    )
    by_stage.legend(fontsize=8)
    by_cost.set(
        xscale="log", xlabel="multiplications a pixel", title="HR_1 (white) and HR_3 (full)"
    )
    by_cost.title.set_fontsize(9)
    for axes in (by_stage, by_cost):
        axes.margins(0.12)
        axes.grid(alpha=0.25)
    return drawing


def experiment() -> None:
    asked = ["residual1"] if FLAGS.quick else FLAGS.networks
    if unknown := sorted(set(asked) - set(NETWORKS)):
        raise ConfigError(f"--networks={','.join(unknown)}: choose from {', '.join(NETWORKS)}.")
    if min(FLAGS.training_pictures, FLAGS.pictures) < 1:
        raise ConfigError("--training_pictures and --pictures: at least 1.")
    directory = {network: pathlib.Path(FLAGS.runs, f"table3_{network}") for network in NETWORKS}
    shown = [n for n in NETWORKS if n in asked or (directory[n] / "summary.json").exists()]
    if missing := sorted(set(FLAGS.split) - set(shown)):
        raise ConfigError(
            f"--split={','.join(missing)}: these are not among the networks of the table."
        )
    photographs = smallest(runs.configuration(FLAGS))
    for network in shown:
        runs.trained(FLAGS, directory[network].name, configuration(network, photographs))
    networks = {network: row(directory[network]) for network in shown}
    result = {
        "command": runs.command(FLAGS, "table3"),
        "networks": networks,
        "findings": findings(networks),
        "split": {
            n: split.cost(directory[n], STAGES, networks[n]["settings"]["anchor"])
            for n in FLAGS.split
        },
    }
    results.save(FLAGS.output, "table3", result, markdown(result), {"mos": figure(result)})


if __name__ == "__main__":
    runs.start(FLAGS, experiment)
