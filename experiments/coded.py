"""Enhancement of clean and of compressed images, beside classical filters and other networks.

Sharpness alone raises VIQET's MOS and VMAF. So every way to enhance is measured with several
instruments at once, on the states in which people have their images (experiments/conditions.py):

- VMAF, VMAF-NEG, PSNR-Y and LPIPS against the clean image
- NIQE and BRISQUE, without a reference
- the step at the 8x8 grid, and the share of the low-contrast texture that is kept
- on whole clean images: the gain in MOS, the overshoot, the noise of flat areas, the high-frequency
  diagonal and the drift of brightness, beside the unsharp mask of equal MOS
- on noisy videos: the change over time per detail gained

::

    pip install 'rts_tf[quality,video]'
    python -m experiments.coded --images=../shared/photos/valid
    python -m experiments.coded --images=FOLDER --ways=input,auto,my_run,unsharp:0.5,waifu2x

A way is "input", "auto" (the weights that ``python -m rts_tf.enhance`` chooses), the name or path
of a network with an optional ":strength", or a baseline of experiments/baselines.py. It costs about
a third of a second for each way, image and condition, three seconds for other networks, and five
seconds for each whole image and each way of ``--whole``.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from experiments import baselines, coded_page, results, runs
from experiments.conditions import CONDITIONS, aligned, clean_images, crop, noisy_video
from rts_tf.errors import ConfigError

if TYPE_CHECKING:
    from rts_tf.inference import Enhancer
    from rts_tf.luma.enhancer import LumaEnhancer

WAYS = (
    *("input", "residual3", "residual1", "residual3-jpeg", "residual3-jpeg:0.5"),
    *("residual3-video", "residual3-video:0.5", "unsharp:0.8", "unsharp:0.4"),
    *("bilateral+unsharp:1.2", "cas:0.5", "waifu2x", "realesrgan"),
)
WHOLE = ("residual3", "residual1")
FLAGS = flags.FlagValues()
flags.DEFINE_string("images", "", "Folder of clean images.", flag_values=FLAGS)
flags.DEFINE_list("ways", list(WAYS), "What to measure, see above.", flag_values=FLAGS)
flags.DEFINE_list("conditions", list(CONDITIONS), "States of the images.", flag_values=FLAGS)
flags.DEFINE_integer("count", 0, "The most images to measure; 0: all.", flag_values=FLAGS)
flags.DEFINE_list(
    "whole",
    None,
    f"Ways that VIQET judges on whole clean images too; those of {', '.join(WHOLE)} by default.",
    flag_values=FLAGS,
)
flags.DEFINE_integer("seed", 1, "Seed of the noise in videos.", flag_values=FLAGS)
flags.DEFINE_string("output", "experiments/results", "Folder for the results.", flag_values=FLAGS)

Way = Callable[[np.ndarray], np.ndarray]  # uint8 [H, W, 3] to the same


def experiment() -> None:
    """Measure everything and write the results."""
    from rts_tf.metrics.resources import cores
    from rts_tf.networks.precision import instruction_set

    began = time.monotonic()
    unknown = set(FLAGS.conditions) - set(CONDITIONS)
    if unknown:
        raise ConfigError(f"`conditions`: {unknown.pop()!r} is none of {', '.join(CONDITIONS)}.")
    if missing := set(FLAGS.whole or ()) - set(FLAGS.ways):
        raise ConfigError(f"`whole`: {missing.pop()!r} is none of `ways`; name it there too.")
    images = dict(clean_images(FLAGS.images, FLAGS.count))
    if not images:
        raise ConfigError(f"`images`={FLAGS.images}: has no image that is large enough.")
    ways = {name: way_of(name) for name in FLAGS.ways}
    inputs = {
        name: {key: CONDITIONS[name](image) for key, image in images.items()}
        for name in FLAGS.conditions
    }
    references = {key: crop(image) for key, image in images.items()}
    record: dict[str, Any] = {
        "command": runs.command(FLAGS, "coded"),
        "seed": FLAGS.seed,
        "images": list(images),
        "machine": f"{cores()} cores, {instruction_set()}",
        "versions": {name: version_of(name) for name in FLAGS.ways},
        "crops": {},
        "whole": {},
        "flicker": {},
    }
    for name, way in ways.items():
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
        record["crops"][name] = {
            condition: measure_crops(way, inputs[condition], references)
            for condition in FLAGS.conditions
        }
        record["flicker"][name] = measure_flicker(way, images, FLAGS.seed)
        if name in (WHOLE if FLAGS.whole is None else FLAGS.whole):
            record["whole"][name] = measure_whole(way, images)
    record["seconds"] = round(time.monotonic() - began)
    results.save(FLAGS.output, "coded", record, coded_page.markdown(record))


@functools.cache
def way_of(name: str) -> Way:
    """The function for a way. Raises RtsError if there is no such network or baseline."""
    if name == "input":
        return lambda image: image
    model, _, parameter = name.partition(":")
    if model in baselines.FILTERS or model in baselines.PEERS:
        return baselines.enhancer(name).apply
    try:
        strength = float(parameter or 1)
    except ValueError:
        raise ConfigError(f"{name}: the strength after the colon must be a number.") from None
    if model == "auto":
        return functools.partial(_by_choice, strength=strength)
    return functools.partial(_enhancer(model).enhance, strength=strength)


def _by_choice(image: np.ndarray, strength: float) -> np.ndarray:
    """Enhance by the weights that are chosen for pixels without a file, as for a PNG file."""
    from rts_tf.enhance.choice import for_image
    from rts_tf.images.image_file import ImageFile

    return _enhancer(for_image(ImageFile(image)).model).enhance(image, strength)


@functools.cache
def _enhancer(model: str) -> Enhancer | LumaEnhancer:
    import rts_tf

    return rts_tf.load(model, "auto")


def version_of(name: str) -> str:
    """What a way is made of: the hash of its weights, or the version of its package."""
    from rts_tf.networks.weights import weights_sha256

    model = name.partition(":")[0]
    if model in ("input", "auto"):
        return ""
    if model in baselines.FILTERS or model in baselines.PEERS:
        return baselines.enhancer(name).version
    return weights_sha256(_enhancer(model).network.get_weights())[:12]


def measure_crops(
    way: Way, inputs: dict[str, np.ndarray], references: dict[str, np.ndarray]
) -> dict[str, dict[str, float]]:
    """Measure a way on the crops of one condition: the figures by the name of the image."""
    from rts_tf.metrics.parallel import in_parallel

    began = time.monotonic()
    outputs = {name: way(image) for name, image in inputs.items()}
    seconds = (time.monotonic() - began) / sum(image[..., 0].size for image in inputs.values())
    found = in_parallel(lambda name: fidelity_and_looks(outputs[name], references[name]), outputs)
    return {
        name: figures | {"seconds_per_megapixel": 1e6 * seconds}
        for name, figures in zip(outputs, found)
    }


def fidelity_and_looks(image: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """All figures of one crop, uint8 [H, W, 3], against the clean one."""
    from rts_tf.metrics.blocking import grid_step
    from rts_tf.metrics.low_contrast import texture_kept
    from rts_tf.metrics.perceptual.lpips import lpips
    from rts_tf.metrics.perceptual.naturalness import brisque, niqe
    from rts_tf.metrics.perceptual.vmaf import vmaf
    from rts_tf.metrics.psnr_ssim import fidelity

    scores, same = vmaf(image, reference), fidelity(image, reference)
    return {
        "vmaf": scores.vmaf,
        "neg": scores.neg,
        "psnr_y": min(same.psnr_y, 99.0),
        "ssim_y": same.ssim_y,
        "lpips": lpips(image, reference),
        "niqe": niqe(image),
        "brisque": brisque(image),
        "grid_step": grid_step(image),
        "texture_kept": texture_kept(image, reference),
    }


def measure_whole(way: Way, images: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Measure a way on whole clean images, beside the unsharp mask of equal MOS."""
    from rts_tf.images.dtypes import to_float
    from rts_tf.metrics.enhancement import measure_enhancement
    from rts_tf.metrics.parallel import in_parallel

    def measure(name: str) -> dict[str, float]:
        original = images[name]
        enhanced = outputs.pop(name)
        figures = measure_enhancement(to_float(enhanced), original)
        return figures | _mask_looks(enhanced, original, figures["unsharp_amount"])

    outputs: dict[str, np.ndarray] = {}

    def enhanced_first(names: Sequence[str]) -> Iterator[str]:
        for name in names:
            outputs[name] = way(images[name])
            yield name

    found = in_parallel(measure, enhanced_first(list(images)))
    return dict(zip(images, found))


def _mask_looks(enhanced: np.ndarray, original: np.ndarray, amount: float) -> dict[str, float]:
    """NIQE, BRISQUE and texture of the crop, and those of the unsharp mask of equal MOS."""
    from rts_tf.metrics.low_contrast import texture_kept
    from rts_tf.metrics.perceptual.naturalness import brisque, niqe

    mask = baselines.unsharp(crop(original), amount) if np.isfinite(amount) else None
    found = {"niqe": niqe(crop(enhanced)), "brisque": brisque(crop(enhanced))}
    found["texture_kept"] = texture_kept(enhanced, original)
    for key, function in (("niqe", niqe), ("brisque", brisque)):
        found[f"unsharp_{key}"] = float("nan") if mask is None else function(mask)
    return found


def measure_flicker(way: Way, images: dict[str, np.ndarray], seed: int) -> dict[str, dict]:
    """Measure a way on noisy videos of every fourth image, frame by frame."""
    from rts_tf.metrics.temporal import flicker

    found = {}
    for number, (name, image) in enumerate(list(images.items())[::4]):
        frames = noisy_video(image, seed + number)
        enhanced = np.stack([way(frame) for frame in frames])
        found[name] = flicker(aligned(enhanced), aligned(frames))._asdict()
    return found


if __name__ == "__main__":
    runs.start(FLAGS, experiment, "stopped; nothing was written.")
