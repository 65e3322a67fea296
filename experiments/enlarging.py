"""Enlargement of clean and of compressed images to twice their size, beside other ways.

    pip install 'rts_tf[peers]'
    python -m experiments.enlarging --images=../shared/photos/valid

LR is MATLAB's bicubic reduction of crops of 512 x 512 pixels, as it is and as JPEG; the original is
the crop. On Set5 and Set14 LR is clean and the images are whole, as published. A way is "auto" (the
weights that ``python -m rts_tf.enhance --scale=2`` chooses for a PNG file, which has no JPEG
tables), the name or path of a network, or one of ``experiments.baselines.UPSCALERS``. Lanczos
interpolation is always there. PSNR and SSIM are those of Y without 2 pixels on every side. It costs
a third of a second for each way, image and LR, and three seconds for other networks.
"""

import functools
import pathlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from absl import flags

from experiments import baselines, results, runs
from experiments.coded import version_of
from experiments.conditions import clean_images, crop
from experiments.matlab_bicubic import matlab_bicubic
from experiments.sr_benchmark import means, samples
from rts_tf.data.codecs import jpeg
from rts_tf.errors import ConfigError
from rts_tf.metrics.psnr_ssim import fidelity

BASELINE = "lanczos"
WAYS = ("auto", "residual3-wide", "residual3-wide-jpeg", "residual3", "waifu2x")
CONDITIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "bicubic": lambda lr: lr,
    "JPEG 95": lambda lr: jpeg(lr, 95),
    "JPEG 90": lambda lr: jpeg(lr, 90),
    "JPEG 75": lambda lr: jpeg(lr, 75),
    "JPEG 50": lambda lr: jpeg(lr, 50),
}
FLAGS = flags.FlagValues()
flags.DEFINE_string("images", "", "Folder of clean images.", flag_values=FLAGS)
flags.DEFINE_string(
    "benchmarks", "../shared/benchmarks", "Folder of the folders Set5 and Set14.", flag_values=FLAGS
)
flags.DEFINE_list("ways", list(WAYS), "What to measure, see above.", flag_values=FLAGS)
flags.DEFINE_string("output", "experiments/results", "Folder for the results.", flag_values=FLAGS)


def experiment() -> None:
    """Measure everything and write the results."""
    from rts_tf.metrics.resources import cores
    from rts_tf.networks.precision import instruction_set

    began = time.monotonic()
    ways = {name: upscaler(name) for name in (BASELINE, *FLAGS.ways)}
    sets = samples(pathlib.Path(FLAGS.benchmarks), quick=False)
    originals = {name: crop(image) for name, image in clean_images(FLAGS.images)}
    if not originals:
        raise ConfigError(f"`images`={FLAGS.images}: has no image that is large enough.")
    record: dict[str, Any] = {
        "command": runs.command(FLAGS, "enlarging"),
        "images": list(originals),
        "machine": f"{cores()} cores, {instruction_set()}",
        "versions": {
            name: baselines.upscaler(name).version
            if name in baselines.UPSCALERS
            else version_of(name)
            for name in ways
        },
        "crops": {},
        "sets": {},
    }
    for name, way in ways.items():
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
        record["crops"][name] = {
            condition: {
                image: fidelity(way(degrade(matlab_bicubic(hr, 0.5))), hr)._asdict()
                for image, hr in originals.items()
            }
            for condition, degrade in CONDITIONS.items()
        }
        record["sets"][name] = means(way, sets)
    record["seconds"] = round(time.monotonic() - began)
    results.save(FLAGS.output, "enlarging", record, markdown(record))


@functools.cache
def upscaler(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """The function for a way, uint8 [H, W, 3] to uint8 [2H, 2W, 3].

    Raises:
        RtsError: There is no such network, or the package of a baseline is missing.
    """
    from rts_tf.enhance.choice import for_image
    from rts_tf.images.image_file import ImageFile
    from rts_tf.inference import load

    if name in baselines.UPSCALERS:
        return baselines.upscaler(name).apply
    if name == "auto":
        return lambda image: upscaler(for_image(ImageFile(image), scale=2).model)(image)
    return load(name).upscale


def markdown(record: dict[str, Any]) -> str:
    """The page of a record."""
    crops, sets = record["crops"], record["sets"]
    rows = []
    for name, conditions in crops.items():
        above = [
            f"{_mean(images):.2f} ({_mean(images) - _mean(crops[BASELINE][condition]):+.2f})"
            for condition, images in conditions.items()
        ]
        of_sets = [f"{mean['psnr_y']:.2f} / {mean['ssim_y']:.4f}" for mean in sets[name].values()]
        rows.append([name, *above, *of_sets])
    header = ["", *crops[BASELINE], *sets[BASELINE]]
    return (
        f"# Enlargement of clean and compressed images\n\n`{record['command']}`\n\n"
        f"PSNR-Y in dB, in brackets above Lanczos interpolation, over crops of"
        f" {len(record['images'])} images by what LR is. Set5 and Set14: PSNR-Y / SSIM. On"
        f" {record['machine']}.\n\n" + results.table(header, rows)
    )


def _mean(images: dict[str, dict[str, float]]) -> float:
    return float(np.mean([figures["psnr_y"] for figures in images.values()]))


if __name__ == "__main__":
    runs.start(FLAGS, experiment, "stopped; nothing was written.")
