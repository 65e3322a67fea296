"""Why RTS sharpens, and when it does not: fifteen pairs of kernels, predicted and measured.

The paper does not name A, the kernel with which LR is made, and takes B, that of d() in Phase B, to be Lanczos. The pair
decides everything: experiments/transfer.py has the formula, G_n(f) = r(f) r(f/2) .. with r(f) = B(f/2) / A(f/2), and
experiments/results/kernels.md, which this file writes, explains it. Five kernels A, three kernels B, three stages each::

    python -m experiments.kernels --data=../shared/photos/train --validation=../shared/photos/valid

Trained on the middles of the photographs, without JPEG and anchor, which the formula leaves out. Measured is the energy of
HR_n over that of HR_0 by radial frequency |f|; predicted is the same of HR_0 passed through G_n(fx) G_n(fy), and through the
gain that minds aliasing (``transfer.aliased_gain``). Stage 1 knows A alone, so the three runs with the same A share its
network. Far shorter than the paper's training: see SETTINGS. ``--quick``: two pairs, one stage.

Costs about forty minutes on two cores (bfloat16). What came out, top octave after three stages, predicted / measured: bilinear
with Lanczos, the paper's strength, 5.27 / 5.15 dB; bilinear with bilinear 0.00 / 0.02; box with Lanczos 1.39 / 0.82, the
farthest apart. With aliasing, which only box has much of, all fifteen pairs are predicted within 0.17 dB at every stage (box
with Lanczos 0.80). So an A that lets everything through is undone as far as it can be guessed, not as far as it blurs.
"""

import dataclasses
import functools
import itertools
import json
import math
import pathlib
import shutil
import time
import zlib

import numpy as np

from experiments import results
from experiments.kernels_figures import curves, signed, verdicts
from experiments.runs import command, configuration, experiment_flags, start, trained
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

FLAGS = experiment_flags()
A_KERNELS = (
    "gaussian",
    "bilinear",
    "bicubic",
    "lanczos",
    "box",
)  # A; by what they keep at the Nyquist frequency of LR
CROP = 384  # pixels a side; whole photographs would keep Phase B busy for an hour
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
PAGE = """# Which pairs of kernels sharpen

RTS reduces twice. Phase A trains on LR, made from HR_0 with a kernel **A**; Phase B makes HR_n = d(SR_n(HR_0)) with a kernel
**B**. Nothing else decides what the stages do to sharpness:

![Fifteen pairs: those with A softer than B sharpen, equal ones do nothing, the others blur](kernels_map.png)

**Why.** SR_1 learns to undo A. Given HR_0 itself it can only believe that this, too, was made with A, from a picture twice as
large that nobody has seen; what lies at f cycles a pixel lay there at f/2, so SR_1 lifts it by 1/A(f/2). d() takes it back to
the old size and lets B(f/2) of it pass. One stage is a filter of gain

    r(f) = B(f/2) / A(f/2)

in each direction. SR_2 learns to make HR_1 out of LR: to undo A, and to apply r besides. Given HR_0, it applies that r to
f/2. So stage 2 multiplies by r(f/2), stage 3 by r(f/4), and after n stages the gain is

    G_n(f) = r(f) r(f/2) .. r(f/2^(n-1)).

Every stage sends the boost an octave further down, where all kernels let everything pass and r is nearly 1. **That is why the
stages converge**, and why repeated unsharp masking, which multiplies by the same gain each time, does not.

![Gain against frequency: the measured points lie on the predicted lines](kernels_curves.png)

{table}
Gain in the top octave, 1/4 to 1/2 cycles a pixel, in dB: predicted / predicted with aliasing / measured.

- The largest difference between predicted and measured is {worst:.2f} dB ({worst_pair}).
- The formula takes A for a filter that can be undone. But what A lets pass above the Nyquist frequency of LR comes out as
  something coarser, and box lets through much. Of that the network can only put back the share that is likely. For the best
  linear guess, with the photographs' own spectrum, |f|^-{power:.2f}, the gain can be computed too (`experiments/transfer.py`,
  dashed in the figure): the largest difference is then {aliased_worst:.2f} dB ({aliased_pair}).
- It is not the softness of a kernel that counts but the ratio of the two: bilinear with bilinear does nothing, although both
  blur. Nor need they be equal: box lets more pass than bicubic at the top and less below, and the two cancel in the octave.
- "Super-resolution" takes no part in it but for the inversion of A. The networks here have {parameters:,} parameters and were
  trained for {first} + 2 x {later} steps.
- For the paper's strength take A = bilinear, B = Lanczos. With A = B, `--kernel=lanczos`, RTS changes nothing: a control.

{pictures} crops of {crop} x {crop} pixels for training, {measured} others measured; no JPEG, no anchor, seed {seed}. Phases A
and B took {minutes} minutes, on two cores in bfloat16 beside other work: `{command}`
"""


def crops(config: Config) -> Config:
    """``config`` with the middles of its photographs in place of the photographs."""
    from PIL import Image

    from rts_tf.data.datasets import training_and_validation

    key = zlib.crc32(json.dumps([config.data, config.validation, config.seed]).encode())
    folder = pathlib.Path(FLAGS.runs, f"kernels_crops_{key:08x}").absolute()
    for name, photos in zip(("data", "validation"), training_and_validation(config), strict=True):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i, photo in enumerate(photos.names):
            picture = photos.read(photo)
            top, left = (max(0, (size - CROP) // 2) for size in picture.shape[:2])
            with atomic_path(folder / name / f"{i:04d}.png") as temporary:
                Image.fromarray(picture[top : top + CROP, left : left + CROP]).save(
                    temporary, "PNG"
                )
    return dataclasses.replace(
        config, data=str(folder / "data"), validation=str(folder / "validation")
    )


def begin_with_stage_1_of(other: pathlib.Path, directory: pathlib.Path, config: Config) -> None:
    """Make ``directory`` a run of ``config`` whose Phase A of stage 1 is over, and came out as in the run ``other``.

    Nothing in it depends on what tells the two apart, the kernel of Phase B, so it would be trained to the same weights.
    """
    from rts_tf.networks.precision import resolve_precision
    from rts_tf.training.run_directory import RunDirectory

    with RunDirectory(
        directory, dataclasses.replace(config, precision=resolve_precision(config.precision))
    ) as run:
        for name in (
            "phase_a.json",
            "model.keras",
        ):  # the network last: it says that Phase A is over
            if not (run.stage(1) / name).exists():
                with atomic_path(run.stage(1) / name) as temporary:
                    shutil.copyfile(other / "stage_1" / name, temporary)


def originals(config: Config) -> list[np.ndarray]:
    """The validation pictures, float32 [H, W, 3] in [0, 1]."""
    from rts_tf.data.datasets import training_and_validation
    from rts_tf.images.dtypes import to_float

    photos = training_and_validation(config)[1]
    return [to_float(photos.read(name)) for name in photos.names]


def measure(
    run: pathlib.Path, config: Config, pictures: list[np.ndarray], power: float
) -> np.ndarray:
    """[stages, BINS, 4]: energies of the pictures' luma, summed over them: HR_0, HR_n, and as the two formulas predict it."""
    import rts_tf
    from rts_tf.inference import Enhancer

    found, pair = [], (config.kernel, config.target_kernel)
    for stage in range(1, config.stages + 1):
        network = rts_tf.load(run / f"stage_{stage}" / "model.keras").network
        model = Enhancer(network, kernel=config.target_kernel)

        @functools.cache  # the pictures are of one size or two
        def gains(shape: tuple[int, int], stage=stage) -> tuple[np.ndarray, np.ndarray]:
            f = frequencies(shape)
            return separable_gain(stage, *f, *pair), aliased_gain(stage, *f, *pair, power)

        planes = ((x.mean(axis=2), model.enhance(x).mean(axis=2)) for x in pictures)
        found.append(sum(energies(hr_0, hr_n, gains(hr_0.shape)) for hr_0, hr_n in planes))
    return np.array(found)


def experiment() -> None:
    began, quick = time.monotonic(), {"stages": 1} if FLAGS.quick else {}
    base, pairs, summaries = crops(configuration(FLAGS, **(SETTINGS | quick))), {}, {}
    pictures = originals(base)
    power = power_law(sum(energies(x.mean(axis=2), x.mean(axis=2)) for x in pictures)[:, 0])
    kernels = (A_KERNELS[1:2], TARGET_KERNELS[:2]) if FLAGS.quick else (A_KERNELS, TARGET_KERNELS)
    for a, b in itertools.product(*kernels):
        config, name = dataclasses.replace(base, kernel=a, target_kernel=b), f"kernels_{a}_{b}"
        if b != TARGET_KERNELS[0]:
            first = pathlib.Path(FLAGS.runs, f"kernels_{a}_{TARGET_KERNELS[0]}")
            begin_with_stage_1_of(first, pathlib.Path(FLAGS.runs, name), config)
        run = trained(FLAGS, name, config)
        summaries[a, b] = json.loads((run / "summary.json").read_text(encoding="utf-8"))
        by_bin = measure(run, config, pictures, power)
        octaves = [decibels(in_octave(by_bin, octave)).tolist() for octave in OCTAVES]
        pairs[f"{a} {b}"] = {"octaves_db": octaves, "curve_db": decibels(by_bin).tolist()}
        measured, *predicted = octaves[0][-1]
        said = " / ".join(f"{gain:.2f}" for gain in (*predicted, measured))
        print(f"A = {a}, B = {b}: top octave at stage {base.stages}: {said} dB", flush=True)
    record = {
        "command": command(FLAGS, "kernels"),
        "settings": {name: getattr(base, name) for name in (*SETTINGS, "seed")},
        "crop": CROP,
        **{
            name: summaries[a, b][name]
            for name in ("training_pictures", "validation_pictures", "parameters")
        },
        "seconds": round(time.monotonic() - began),
        "training_seconds": round(
            sum(_seconds(summary, b) for (_, b), summary in summaries.items())
        ),
        "a_at_nyquist": {a: float(response(a, np.array([0.25]))[0]) for a in kernels[0]},
        "power": round(power, 3),
        "pairs": pairs,  # octaves_db: [octave][stage], curve_db: [stage][bin], of [measured, predicted, with aliasing]
    }
    results.save(
        FLAGS.output,
        "kernels",
        record,
        page(record),
        {"map": verdicts(record), "curves": curves(record)},
    )


def _seconds(summary: dict, b: str) -> float:
    """What Phases A and B of a run took; Phase A of a shared stage 1 counts once."""
    own = [stage for stage in summary["stages"] if stage["stage"] > 1 or b == TARGET_KERNELS[0]]
    return sum(stage["phase_a_seconds"] for stage in own) + sum(
        stage["phase_b_seconds"] for stage in summary["stages"]
    )


def page(record: dict) -> str:
    """The finding on one page, with the figures of ``record``."""
    worst = {}
    for name, predicted in {"": 1, "aliased_": 2}.items():
        differences = {
            pair: largest_difference(found, predicted) for pair, found in record["pairs"].items()
        }
        a, b = max(differences, key=differences.get).split()
        worst |= {
            f"{name}worst": max(differences.values()),
            f"{name or 'worst_'}pair": f"A = {a}, B = {b}",
        }
    rows = []
    for pair, found in record["pairs"].items():
        cells = [
            " / ".join(signed(gain, 2) for gain in (*gains[1:], gains[0]))
            for gains in found["octaves_db"][0]
        ]
        rows.append(
            [", ".join(pair.split()), f"{record['a_at_nyquist'][pair.split()[0]]:.0%}", *cells]
        )
    header = [
        "A, B",
        "A keeps at LR's Nyquist",
        *(f"stage {number}" for number in range(1, record["settings"]["stages"] + 1)),
    ]
    return PAGE.format(
        table=results.table(header, rows),
        power=record["power"],
        **worst,
        parameters=record["parameters"],
        first=record["settings"]["first_steps"],
        later=record["settings"]["later_steps"],
        pictures=record["training_pictures"],
        measured=record["validation_pictures"],
        crop=record["crop"],
        seed=record["settings"]["seed"],
        minutes=math.ceil(record["training_seconds"] / 60),
        command=record["command"],
    )


def largest_difference(found: dict, predicted: int) -> float:
    """Between measured and ``predicted`` (1, or 2: with aliasing) in the top octave of a pair, over its stages, in dB."""
    return max(abs(gains[predicted] - gains[0]) for gains in found["octaves_db"][0])


if __name__ == "__main__":
    start(FLAGS, experiment)
