"""Table 3: the stages with every network. Do three stages of a small network beat one of a large?

The paper reports (eighths of 100 images of DIV2K) a MOS of 2.384 for HR_0 and, at HR_1 .. HR_3,
2.637 2.719 2.720 for residual3 and 2.632 2.725 2.737 for EDSR. HR_2 is above HR_1 with every
network, and residual3 at HR_3 is above EDSR at HR_1::

    python -m experiments.table3 --data=../shared/photos/train --validation=../shared/photos/valid

Here whole images are measured, with exact tiles; ``--split=residual3`` also measures eighths, as
the paper did (``split.py``). All networks see the same batches: 1500 + 2 x 600 steps of 8 patches
of 64 x 64, of the 16 smallest training images. They are measured on the 8 smallest validation
images of at least a megapixel, since Phase B of VDSR makes .1 megapixels a second. A stage of the
paper sees 80,000 patches of 256 x 256 twenty times: 2,100 times as many pixels as stage 1 here.

All of it takes an hour and a half on one core that multiplies bfloat16, nine tenths of it for VDSR,
EDSR and SRResNet. The table's times are those of one core with other work on the other, and of both
cores for residual1 and residual3. ``--quick`` shows in half a minute that it works.

What came out: MOS(HR_2) > MOS(HR_1) > MOS(HR_0) with every network, and residual3 at HR_3, 3.527,
is far above EDSR at HR_1, 3.386, with a twelfth of its MACs. All eight networks lie within .05 at
HR_3, EDSR first, VDSR last: the stage counts, the network hardly does. The gains are half as large
again as the paper's. Enhancing eighths alone changes their MOS by .001 at most, although samples
beside a cut change by .8 levels in the mean and by up to 91. That eighths score 1.9 below whole
images is VIQET, which scales small images up.

The run of each network is kept below --runs, and the table shows the runs that are there:
``--networks=residual1,srcnn`` trains these, and the command can be called again for others.
"""

import dataclasses
import json
import pathlib
import shutil
import zlib
from typing import Any

import numpy as np
from absl import flags

from experiments import results, runs, split
from experiments.table3_page import COSTS, figure, findings, page
from rts_tf.config import NETWORKS, Config
from rts_tf.errors import ConfigError
from rts_tf.storage import publish, read_json

FLAGS = runs.experiment_flags()
flags.DEFINE_list(
    "networks",
    list(NETWORKS),
    "Networks to train. The table also shows finished runs of others.",
    flag_values=FLAGS,
)
flags.DEFINE_list(
    "split", [], "Networks for which the paper's 4 x 2 split is measured too.", flag_values=FLAGS
)
flags.DEFINE_integer(
    "training_pictures", 16, "How many of the smallest images to train on.", flag_values=FLAGS
)
flags.DEFINE_integer(
    "pictures",
    8,
    "How many of the smallest images of at least a megapixel to measure.",
    flag_values=FLAGS,
)

STAGES = 3
# The authors of the deep networks train them with 1e-4 (VDSR: with clipped gradients). These rates,
# below our 1e-3, are a judgement.
LEARNING_RATES = {"vdsr": 3e-4, "srresnet": 5e-4, "edsr": 5e-4}


def smallest(config: Config) -> Config:
    """Return ``config`` on PNG copies of the smallest of its images, as many as the flags say."""
    from PIL import Image

    from rts_tf.data.datasets import training_and_validation

    counts = {"data": (FLAGS.training_pictures, 0), "validation": (FLAGS.pictures, 1e6)}
    key = zlib.crc32(json.dumps([config.data, config.validation, *counts.values()]).encode())
    # Runs record this path, so it keeps its name.
    folder = pathlib.Path(FLAGS.runs, f"table3_photographs_{key:08x}").resolve()
    sources = training_and_validation(config)
    for (name, (count, least)), source in zip(counts.items(), sources, strict=True):
        if (folder / name).exists():
            continue
        pixels = {image: int(np.prod(source.read(image).shape[:2])) for image in source.names}
        order = sorted(pixels, key=lambda image: (pixels[image] < least, pixels[image], image))
        partial = folder / f"{name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for i, image in enumerate(order[:count]):
            file = partial / f"{i:03d}_{pathlib.Path(image).stem}.png"
            Image.fromarray(source.read(image)).save(file)
        publish(partial, folder / name)
    data, validation = str(folder / "data"), str(folder / "validation")
    return dataclasses.replace(config, data=data, validation=validation)


def configuration(network: str, images: Config) -> Config:
    """Return the settings of the run of ``network`` on the images of ``images``."""
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
    return dataclasses.replace(own, data=images.data, validation=images.validation)


def row(run: pathlib.Path) -> dict[str, Any]:
    """Return what the table shows of a finished run. MOS is raw (not bounded), of HR_0 .. HR_3."""
    from rts_tf import networks

    summary = runs.summary(run)
    stages, config = summary["stages"], summary["config"]
    by_image = [read_json(run / f"stage_{n}" / "quality.json") or {} for n in range(1, STAGES + 1)]
    mos = [summary["originals"]["hr_0"]["mos_raw"], *(stage["mos_raw"] for stage in stages)]
    return {
        "parameters": summary["parameters"],
        "macs_per_pixel": networks.macs_per_pixel(networks.build(config["network"])),
        "mos": mos,
        "rises": bool(mos[2] > mos[1] > mos[0]),
        "mos_gain_by_image": [[row["mos_gain"] for row in stage.values()] for stage in by_image],
        "ratio_percent": [stage["difference_ratio_percent"] for stage in stages],
        "costs": [{key: stage[key] for key in COSTS} for stage in stages],
        "network_drift_levels": [stage["network_drift_levels"] for stage in stages],
        "phase_a_seconds": [round(stage["phase_a_seconds"], 1) for stage in stages],
        "phase_b_seconds": [round(stage["phase_b_seconds"], 1) for stage in stages],
        "images": runs.image_counts(summary),
        "settings": runs.settings(config),
    }


def experiment() -> None:
    """Train and measure the networks, and write the results."""
    asked = ["residual1"] if FLAGS.quick else FLAGS.networks
    if unknown := sorted(set(asked) - set(NETWORKS)):
        raise ConfigError(f"--networks={','.join(unknown)}: choose from {', '.join(NETWORKS)}.")
    if min(FLAGS.training_pictures, FLAGS.pictures) < 1:
        raise ConfigError("--training_pictures and --pictures: must be at least 1.")
    directory = {network: pathlib.Path(FLAGS.runs, f"table3_{network}") for network in NETWORKS}
    shown = [n for n in NETWORKS if n in asked or (directory[n] / "summary.json").exists()]
    if missing := sorted(set(FLAGS.split) - set(shown)):
        raise ConfigError(
            f"--split={','.join(missing)}: these are not among the networks of the table."
        )
    images = smallest(runs.configuration(FLAGS))
    for network in shown:
        runs.trained(FLAGS, directory[network].name, configuration(network, images))
    networks = {network: row(directory[network]) for network in shown}
    result = {
        "command": runs.command(FLAGS, "table3"),
        "networks": networks,
        "findings": findings(networks),
        "split": {
            name: split.cost(directory[name], STAGES, networks[name]["settings"]["anchor"])
            for name in FLAGS.split
        },
    }
    results.save(FLAGS.output, "table3", result, page(result), {"mos": figure(result)})


if __name__ == "__main__":
    runs.start(FLAGS, experiment)
