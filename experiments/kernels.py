"""Why RTS sharpens, and when it does not: fifteen pairs of kernels, predicted and measured.

The paper does not name A, the kernel with which LR is made, and takes Lanczos for B, the kernel of
d() in Phase B. The pair decides everything. experiments/transfer.py has the formula,
G_n(f) = r(f) r(f/2) .. with r(f) = B(f/2) / A(f/2), and experiments/results/kernels.md, which this
experiment writes, explains it. It trains five kernels A with three kernels B, three stages each::

    python -m experiments.kernels --data=../shared/photos/train --validation=../shared/photos/valid

The runs train on the middles of the images, without JPEG and anchor, which the formula leaves out.
What is measured is the energy of HR_n over that of HR_0 by radial frequency |f|. What is predicted
is the same of HR_0 passed through G_n(fx) G_n(fy), and through the gain that takes aliasing into
account (``transfer.aliased_gain``). Stage 1 depends on A alone, so the three runs with the same A
share its network. The runs are far shorter than the paper's training, see SETTINGS. ``--quick``
trains two pairs and one stage.

Costs about forty minutes on two cores (bfloat16). What came out in the top octave after three
stages, predicted / measured: bilinear with Lanczos, which has the paper's strength, 5.27 / 5.15 dB;
bilinear with bilinear 0.00 / 0.02; box with Lanczos 1.39 / 0.82, the farthest apart. With aliasing,
of which only box has much, all fifteen pairs are predicted within 0.17 dB at every stage (box with
Lanczos 0.80). So an A that passes everything is undone as far as it can be guessed, not as far as
it blurs.
"""

import dataclasses
import functools
import itertools
import json
import pathlib
import shutil
import time
import zlib
from typing import Any

import numpy as np

from experiments import results, runs
from experiments.images import middle
from experiments.kernels_figures import curves, verdicts
from experiments.kernels_page import page
from experiments.transfer import (
    OCTAVES,
    aliased_gain,
    decibels,
    energies,
    frequencies,
    in_octave,
    power_law,
    response,
    separable_gain,
)
from rts_tf.config import TARGET_KERNELS, Config
from rts_tf.storage import atomic_path

FLAGS = runs.experiment_flags()
# The kernels A, by what they keep at the Nyquist frequency of LR.
A_KERNELS = ("gaussian", "bilinear", "bicubic", "lanczos", "box")
CROP = 384  # pixels a side; whole images would keep Phase B busy for an hour
SETTINGS = {
    "network": "residual1",
    "stages": 3,
    "stop_early": False,
    "judge": "delta",
    "degradation": "reduce",
    "anchor": "none",
    "first_steps": 2000,
    "later_steps": 800,
    "patch": 96,
}


def with_crops(config: Config) -> Config:
    """Return ``config`` with the middles of its images instead of the images."""
    from PIL import Image

    from rts_tf.data.datasets import training_and_validation

    key = zlib.crc32(json.dumps([config.data, config.validation, config.seed]).encode())
    folder = pathlib.Path(FLAGS.runs, f"kernels_crops_{key:08x}").absolute()
    for name, source in zip(("data", "validation"), training_and_validation(config), strict=True):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i, image in enumerate(source.names):
            crop = Image.fromarray(middle(source.read(image), CROP))
            with atomic_path(folder / name / f"{i:04d}.png") as temporary:
                crop.save(temporary, "PNG")
    data, validation = str(folder / "data"), str(folder / "validation")
    return dataclasses.replace(config, data=data, validation=validation)


def share_stage_1(source: pathlib.Path, directory: pathlib.Path, config: Config) -> None:
    """Make ``directory`` a run of ``config`` that has finished Phase A of stage 1.

    The result of Phase A is copied from the run in ``source``. The two differ only in the kernel of
    Phase B, on which Phase A of stage 1 does not depend, so training would give the same weights.
    """
    from rts_tf.training.run_directory import RunDirectory

    with RunDirectory(directory, config) as run:
        stage = run.stage(1)
        stage.root.mkdir(exist_ok=True)
        for name in ("phase_a.json", "model.keras"):  # the network last: it ends Phase A
            if not (stage.root / name).exists():
                with atomic_path(stage.root / name) as temporary:
                    shutil.copyfile(source / "stage_1" / name, temporary)


def originals(config: Config) -> list[np.ndarray]:
    """Return the validation images, float32 [H, W, 3] in [0, 1]."""
    from rts_tf.data.datasets import training_and_validation
    from rts_tf.images.dtypes import to_float

    _, validation = training_and_validation(config)
    return [to_float(validation.read(name)) for name in validation.names]


def measure(
    run: pathlib.Path, config: Config, images: list[np.ndarray], power: float
) -> np.ndarray:
    """Sum up the energies of the luma of ``images`` at each stage of a finished run.

    Args:
        run: The run directory.
        config: The settings of the run.
        images: HR_0, float32 [H, W, 3] in [0, 1].
        power: Of the spectrum of the images, see ``transfer.power_law``.

    Returns:
        [stages, BINS, 4]: the energies of HR_0, of HR_n, and of HR_n as both formulas predict it.
    """
    import rts_tf
    from rts_tf.inference import Enhancer

    found, pair = [], (config.kernel, config.target_kernel)
    for stage in range(1, config.stages + 1):
        network = rts_tf.load(run / f"stage_{stage}" / "model.keras").network
        model = Enhancer(network, kernel=config.target_kernel)

        @functools.cache  # the images have one size or two
        def gains(shape: tuple[int, int], stage=stage) -> tuple[np.ndarray, np.ndarray]:
            f = frequencies(shape)
            return separable_gain(stage, *f, *pair), aliased_gain(stage, *f, *pair, power)

        planes = ((x.mean(axis=2), model.enhance(x).mean(axis=2)) for x in images)
        found.append(sum(energies(hr_0, hr_n, gains(hr_0.shape)) for hr_0, hr_n in planes))
    return np.array(found)


def experiment() -> None:
    """Train and measure the pairs, and write the results."""
    began, quick = time.monotonic(), {"stages": 1} if FLAGS.quick else {}
    base = with_crops(runs.configuration(FLAGS, **(SETTINGS | quick)))
    images = originals(base)
    power = power_law(sum(energies(x.mean(axis=2), x.mean(axis=2)) for x in images)[:, 0])
    kernels = (A_KERNELS[1:2], TARGET_KERNELS[:2]) if FLAGS.quick else (A_KERNELS, TARGET_KERNELS)
    pairs, summaries = {}, {}
    for a, b in itertools.product(*kernels):
        config, name = dataclasses.replace(base, kernel=a, target_kernel=b), f"kernels_{a}_{b}"
        if b != TARGET_KERNELS[0]:
            first = pathlib.Path(FLAGS.runs, f"kernels_{a}_{TARGET_KERNELS[0]}")
            share_stage_1(first, pathlib.Path(FLAGS.runs, name), config)
        run = runs.trained(FLAGS, name, config)
        summaries[a, b] = runs.summary(run)
        by_bin = measure(run, config, images, power)
        octaves = [decibels(in_octave(by_bin, octave)).tolist() for octave in OCTAVES]
        pairs[f"{a} {b}"] = {"octaves_db": octaves, "curve_db": decibels(by_bin).tolist()}
        measured, *predicted = octaves[0][-1]
        shown = " / ".join(f"{gain:.2f}" for gain in (*predicted, measured))
        print(f"A = {a}, B = {b}: top octave at stage {base.stages}: {shown} dB", flush=True)
    seconds = sum(_seconds(summary, b) for (_, b), summary in summaries.items())
    last = summaries[a, b]
    record = {
        "command": runs.command(FLAGS, "kernels"),
        "settings": {name: getattr(base, name) for name in (*SETTINGS, "seed")},
        "crop": CROP,
        **runs.image_counts(last),
        "parameters": last["parameters"],
        "seconds": round(time.monotonic() - began),
        "training_seconds": round(seconds),
        "a_at_nyquist": {a: float(response(a, np.array([0.25]))[0]) for a in kernels[0]},
        "power": round(power, 3),
        # octaves_db: [octave][stage], curve_db: [stage][bin]; each entry is [measured, predicted,
        # predicted with aliasing].
        "pairs": pairs,
    }
    figures = {"map": verdicts(record), "curves": curves(record)}
    results.save(FLAGS.output, "kernels", record, page(record), figures)


def _seconds(summary: dict[str, Any], b: str) -> float:
    """What Phases A and B of a run took. Phase A of a shared stage 1 counts once."""
    own = [stage for stage in summary["stages"] if stage["stage"] > 1 or b == TARGET_KERNELS[0]]
    phase_b = sum(stage["phase_b_seconds"] for stage in summary["stages"])
    return sum(stage["phase_a_seconds"] for stage in own) + phase_b


if __name__ == "__main__":
    runs.start(FLAGS, experiment)
