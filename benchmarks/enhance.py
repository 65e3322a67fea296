"""Enhancing pictures: megapixels per second of the command over those of the network alone, and a sharpening filter beside it.

    python -m benchmarks.enhance --model=RUN                # about three minutes on two cores
    python -m benchmarks.enhance --model=RUN --data=FOLDER  # own photographs; best of 1-4 megapixels

What the command does with a folder (read, tiles, d(), write; the next picture read and the last one written meanwhile), for
JPEG and for PNG, against the bare network on the same pixels, decoded, in pairs of tiles without overlap or whole, whichever
is faster. Beside it what a user may take instead: OpenCV's filter2D as an unsharp mask, 5x5, amount 1 as FFmpeg's filter
has it, with the same reading and writing; and for both the gain in MOS and what it costs. All is interleaved in one process
and the least time counts. Without ``--data``: photographs from scikit-image, repeated to 1460x1030 pixels.
"""

import io
import os
import pathlib
import tempfile
from collections.abc import Callable

import cv2
import numpy as np
import tensorflow as tf
from absl import app, flags
from PIL import Image
from rich.console import Console

from benchmarks.inputs import define_data_flag, define_model_flag, repeated_images
from benchmarks.table import Line, show
from benchmarks.timing import Seconds, seconds_of
from rts_tf.cli.progress import RunProgress
from rts_tf.enhance.__main__ import AUTO_TILE
from rts_tf.enhance.images import enhance_all, sizes_of
from rts_tf.enhance.jobs import Job
from rts_tf.images.dtypes import to_float
from rts_tf.inference import Enhancer, load
from rts_tf.metrics.artifacts import measure_artifacts
from rts_tf.metrics.parallel import in_parallel
from rts_tf.metrics.viqet import measure
from rts_tf.networks.precision import resolve_precision

FLAGS = flags.FLAGS
define_model_flag()
define_data_flag()
flags.DEFINE_integer("pictures", 8, "How many photographs.")
flags.DEFINE_integer("rounds", 3, "Times that everything is measured.")

HEIGHT, WIDTH = 1030, 1460


def main(_) -> None:
    precision = resolve_precision("auto")
    model = load(FLAGS.model, precision, AUTO_TILE[precision])
    pictures = photographs()
    megapixels = sum(picture[..., 0].size for picture in pictures) / 1e6
    ours = lambda pixels, on_pixels: model.enhance(pixels, on_pixels=on_pixels)  # noqa: E731
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for suffix, options in {"jpg": {"quality": 92}, "png": {}}.items():
            (root / suffix).mkdir()
            for i, picture in enumerate(pictures):
                Image.fromarray(picture).save(root / suffix / f"{i:02d}.{suffix}", **options)
        parts = {
            f"command, {suffix}": folder_through(root, suffix, ours) for suffix in ("jpg", "png")
        }
        parts |= {
            "mask, jpg": folder_through(root, "jpg", lambda pixels, on_pixels: unsharp(pixels))
        }
        parts |= forwards(model, pictures)
        parts |= {"mask, pixels": lambda: [unsharp(picture) for picture in pictures]}
        least = {part: Seconds(np.inf, np.inf) for part in parts}
        for turn in range(FLAGS.rounds + 1):
            for part, function in parts.items():
                seconds = seconds_of(function)
                if turn:  # the first time warms up
                    least[part] = Seconds(*np.minimum(seconds, least[part]))
    quality = {"network": judge(pictures, model.enhance), "mask": judge(pictures, unsharp)}
    report(least, megapixels, quality, len(pictures))


def report(
    least: dict[str, Seconds], megapixels: float, quality: dict[str, tuple], count: int
) -> None:
    forward = min(
        (least[part] for part in least if part.startswith("forward")),
        key=lambda seconds: seconds.clock,
    )
    lines = []
    for kind in ("jpg", "png"):
        its = least[f"command, {kind}"]
        of = f"{megapixels / its.clock:.2f} of {megapixels / forward.clock:.2f} megapixels/s"
        of += f"; processor time {its.processor / megapixels:.2f} / {forward.processor / megapixels:.2f} s a megapixel"
        lines.append(
            Line(f"command, {kind} / bare network", forward.clock / its.clock, ">=", 0.85, of)
        )
        lines.append(
            Line("the same by processor time", forward.processor / its.processor, ">=", 0.85, "")
        )
    show(
        f"Enhancing {count} pictures of {megapixels / count:.1f} megapixels, {os.cpu_count()} cores",
        lines,
    )
    for way, parts in {"network": ("command, jpg",), "mask": ("mask, jpg", "mask, pixels")}.items():
        speed = ", ".join(
            f"{megapixels / least[part].clock:.1f} megapixels/s ({part})" for part in parts
        )
        mos, clipped, noise = quality[way]
        print(
            f"{way}: {speed}; MOS {mos:+.3f}, clipped {clipped:.2f} %, noise of flat areas x{noise:.2f}"
        )
    print(
        "bare network: "
        + ", ".join(f"{p[9:]} {s.clock:.2f} s" for p, s in least.items() if p.startswith("forward"))
    )


def folder_through(root: pathlib.Path, suffix: str, network: Callable) -> Callable[[], None]:
    """The folder of that suffix through ``network``, as the command does it."""
    names = sorted(path.name for path in (root / suffix).iterdir())
    jobs = [Job(str(root / suffix / name), root / "out" / name, name) for name in names]

    def through() -> None:
        sizes = sizes_of(jobs)
        progress = RunProgress({"enhancing": sum(sizes) / 1e6}, Console(file=io.StringIO()))
        errors, _ = enhance_all(jobs, network, progress, sizes)
        if errors:
            raise RuntimeError(errors[0])

    return through


def forwards(model: Enhancer, pictures: list[np.ndarray]) -> dict[str, Callable[[], None]]:
    """SR(x) of the bare network on whole pictures, and on pairs of tiles without overlap."""
    network, signature = model.network, [tf.TensorSpec([None, None, None, 3], tf.float32)]
    forward = tf.function(lambda images: network(images, training=False), signature)
    whole = [tf.constant(to_float(picture)[None]) for picture in pictures]
    pairs = []
    for picture in pictures:
        parts = [to_float(picture[cut.read]) for cut in model.tiles(*picture.shape[:2], radius=0)]
        pairs += [tf.constant(np.stack(parts[i : i + 2])) for i in range(0, len(parts), 2)]
    return {
        f"forward, {name}": lambda b=b: [forward(x) for x in b]
        for name, b in {"whole": whole, "pairs": pairs}.items()
    }


def unsharp(picture: np.ndarray) -> np.ndarray:
    """x + 1.0 * (x - mean of 5x5), FFmpeg's ``unsharp`` as it comes, on all three colours."""
    kernel = np.full((5, 5), -1 / 25, np.float32)
    kernel[2, 2] += 2
    return cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REFLECT)


def judge(
    pictures: list[np.ndarray], way: Callable[[np.ndarray], np.ndarray]
) -> tuple[float, float, float]:
    """Means of the gain in MOS, the clipped share in percent and the gain of noise in flat areas."""

    def judged(picture: np.ndarray) -> tuple[float, float, float]:
        better = way(picture)
        nature = measure_artifacts(to_float(better), to_float(picture))
        return (
            measure(better).mos - measure(picture).mos,
            nature.clipped_percent,
            nature.flat_noise_gain,
        )

    return tuple(np.nanmean(list(in_parallel(judged, pictures)), axis=0))


def photographs() -> list[np.ndarray]:
    """The pictures to work on, uint8 [H, W, 3]."""
    source = repeated_images(FLAGS.data, HEIGHT, WIDTH)
    return [source.read(name) for name in source.names[: FLAGS.pictures]]


if __name__ == "__main__":
    app.run(main)
