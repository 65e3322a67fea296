"""Enhancing images: megapixels per second of the command over those of the network alone.

    python -m benchmarks.enhance --model=RUN                # about three minutes on two cores
    python -m benchmarks.enhance --model=RUN --data=FOLDER  # own images; best of 1-4 megapixels

The benchmark compares what the command does with a folder of JPEG and of PNG files (read, tiles,
d(), write; the next image is read and the last one written meanwhile) with the bare network on the
same decoded pixels, in pairs of tiles without overlap or whole, whichever is faster. Beside it
stands an alternative: OpenCV's filter2D as an unsharp mask, 5x5, amount 1 as in FFmpeg's filter,
with the same reading and writing, in a process of its own. For both, it reports the gain in MOS and
what that costs. All parts are interleaved, and the shortest time of each part counts. Without
``--data`` the images are the sample images, repeated to 1460x1030 pixels.
"""

import contextlib
import functools
import os
import pathlib
import tempfile
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from absl import app, flags

from benchmarks.folders import FILES, folder_through, write_images
from benchmarks.inputs import define_data_flag, define_model_flag, repeated_images
from benchmarks.peer_process import PeerProcess
from benchmarks.table import Line, show
from benchmarks.timing import Seconds, seconds_of
from benchmarks.unsharp_images_peer import unsharp
from rts_tf.enhance.weights import AUTO_TILE
from rts_tf.images.dtypes import to_float
from rts_tf.inference import Enhancer, load
from rts_tf.metrics.artifacts import measure_artifacts
from rts_tf.metrics.parallel import in_parallel
from rts_tf.metrics.viqet import measure
from rts_tf.networks.precision import resolve_precision

FLAGS = flags.FLAGS
define_model_flag()
define_data_flag()
flags.DEFINE_integer("pictures", 8, "How many images.")
flags.DEFINE_integer("rounds", 3, "How often everything is measured.")

HEIGHT, WIDTH = 1030, 1460


def main(_: list[str]) -> None:
    """Measure and print the table."""
    precision = resolve_precision("auto")
    model = load(FLAGS.model, "auto", AUTO_TILE[precision])
    source = repeated_images(FLAGS.data, HEIGHT, WIDTH)
    images = [source.read(name) for name in source.names[: FLAGS.pictures]]
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as processes:
        root = pathlib.Path(name)
        write_images(root, images)
        np.savez(root / "images.npz", *images)
        arguments = {"root": str(root)}
        peer = processes.enter_context(PeerProcess("benchmarks.unsharp_images_peer", arguments))
        ours = parts_of(root, model, images)
        parts = {part: functools.partial(seconds_of, run) for part, run in ours.items()}
        for run in peer.names:
            parts[f"unsharp mask, {run}"] = functools.partial(peer.seconds, run)
        least = least_times(parts)
    quality = {
        "network": quality_of(images, model.enhance),
        "unsharp mask": quality_of(images, unsharp),
    }
    report_speed(least, images)
    report_quality(least, quality, megapixels_of(images))


def parts_of(
    root: pathlib.Path, model: Enhancer, images: list[np.ndarray]
) -> dict[str, Callable[[], object]]:
    """What is measured in this process, by name."""

    def ours(pixels: np.ndarray, on_pixels: Callable[[int], None]) -> np.ndarray:
        return model.enhance(pixels, on_pixels=on_pixels)

    return {
        **{f"command, {suffix}": folder_through(root, suffix, ours) for suffix in FILES},
        **forward_passes(model, images),
    }


def least_times(parts: dict[str, Callable[[], Seconds]]) -> dict[str, Seconds]:
    """The shortest time of each part over all rounds."""
    least = {part: Seconds(np.inf, np.inf) for part in parts}
    for turn in range(FLAGS.rounds + 1):
        for part, measure_part in parts.items():
            seconds = measure_part()
            if turn:  # the first time warms up
                least[part] = Seconds(*np.minimum(seconds, least[part]))
    return least


def megapixels_of(images: list[np.ndarray]) -> float:
    """The megapixels of all images."""
    return sum(image[..., 0].size for image in images) / 1e6


def report_speed(least: dict[str, Seconds], images: list[np.ndarray]) -> None:
    """Print the table."""
    count, megapixels = len(images), megapixels_of(images)
    bare = {part: seconds for part, seconds in least.items() if part.startswith("forward")}
    forward = min(bare.values(), key=lambda seconds: seconds.clock)
    lines = []
    for suffix in FILES:
        command = least[f"command, {suffix}"]
        speeds = (
            f"{megapixels / command.clock:.2f} of {megapixels / forward.clock:.2f} megapixels/s;"
            f" processor time {command.processor / megapixels:.2f} /"
            f" {forward.processor / megapixels:.2f} s per megapixel"
        )
        ratio = Seconds(forward.clock / command.clock, forward.processor / command.processor)
        lines.append(Line(f"command, {suffix} / bare network", ratio.clock, ">=", 0.85, speeds))
        lines.append(Line("the same by processor time", ratio.processor, ">=", 0.85, ""))
    size = megapixels / count
    show(f"Enhancing {count} images of {size:.1f} megapixels, {os.cpu_count()} cores", lines)
    times = (f"{part[9:]} {seconds.clock:.2f} s" for part, seconds in bare.items())
    print(f"bare network: {', '.join(times)}")


def report_quality(
    least: dict[str, Seconds], quality: dict[str, tuple[float, ...]], megapixels: float
) -> None:
    """Print what each way gains and costs."""
    parts_of_ways = {
        "network": ("command, jpg",),
        "unsharp mask": ("unsharp mask, jpg", "unsharp mask, pixels"),
    }
    for way, parts in parts_of_ways.items():
        speeds = (f"{megapixels / least[part].clock:.1f} megapixels/s ({part})" for part in parts)
        mos, clipped, noise = quality[way]
        print(
            f"{way}: {', '.join(speeds)}; MOS {mos:+.3f}, clipped {clipped:.2f} %, noise of flat"
            f" areas x{noise:.2f}"
        )


def forward_passes(model: Enhancer, images: list[np.ndarray]) -> dict[str, Callable[[], object]]:
    """SR(x) of the bare network on whole images, and on pairs of tiles without overlap."""
    network, signature = model.network, [tf.TensorSpec([None, None, None, 3], tf.float32)]
    forward = tf.function(lambda batch: network(batch, training=False), signature)
    whole = [tf.constant(to_float(image)[None]) for image in images]
    pairs = []
    for image in images:
        parts = [to_float(image[tile.read]) for tile in model.tiles(*image.shape[:2], radius=0)]
        pairs += [tf.constant(np.stack(parts[i : i + 2])) for i in range(0, len(parts), 2)]
    return {
        f"forward, {name}": lambda batches=batches: [forward(batch) for batch in batches]
        for name, batches in {"whole": whole, "pairs": pairs}.items()
    }


def quality_of(
    images: list[np.ndarray], way: Callable[[np.ndarray], np.ndarray]
) -> tuple[float, ...]:
    """Means over ``images`` enhanced by ``way``.

    Returns:
        The gain in MOS, the percentage of clipped samples, and the gain of noise in flat areas.
    """

    def measured(image: np.ndarray) -> tuple[float, float, float]:
        better = way(image)
        artifacts = measure_artifacts(to_float(better), to_float(image))
        gain = measure(better).mos - measure(image).mos
        return gain, artifacts.clipped_percent, artifacts.flat_noise_gain

    return tuple(np.nanmean(list(in_parallel(measured, images)), axis=0))


if __name__ == "__main__":
    app.run(main)
