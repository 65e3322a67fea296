"""VIQET: seconds per image of two megapixels on one core, in all and by feature, and on two cores.

    python -m benchmarks.viqet                  # half a minute on two cores
    python -m benchmarks.viqet --data=FOLDER    # your own images; best of 2 megapixels

All parts are interleaved over the rounds, and the shortest time of each part counts. The two
workers are the threads of ``python -m rts_tf.viqet``. Without ``--data`` the images are the sample
images, repeated to 2040x1356 pixels.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from absl import app, flags

from benchmarks.inputs import define_data_flag, repeated_images
from benchmarks.table import Line, show
from benchmarks.timing import Seconds, seconds_of
from rts_tf.cli.measuring import measure_images
from rts_tf.data.datasets import SAMPLE_TRAIN, SAMPLE_VALIDATION
from rts_tf.metrics.resources import cores
from rts_tf.metrics.viqet import measure
from rts_tf.metrics.viqet.features import EXTRACTORS
from rts_tf.metrics.viqet.preparation import prepare
from rts_tf.viqet import Image, measure_image

FLAGS = flags.FLAGS
define_data_flag()
flags.DEFINE_integer("pictures", 4, "How many images.")
flags.DEFINE_integer("rounds", 3, "How often everything is measured.")

HEIGHT, WIDTH = 1356, 2040


def parts_of(images: Sequence[np.ndarray]) -> dict[str, Callable[[], object]]:
    """For each step of ``measure``, a function that takes that step for all ``images``."""
    prepared = [prepare(image) for image in images]
    parts: dict[str, Callable[[], object]] = {
        "preparation": lambda: [prepare(image) for image in images]
    }
    for name, extractor in EXTRACTORS.items():
        parts[name] = lambda extractor=extractor: [extractor(image) for image in prepared]
    return parts


def command_of(images: Sequence[np.ndarray], workers: int) -> Callable[[], object]:
    """A function that measures ``images`` twice as the command does, in ``workers`` threads."""
    unread = [Image(str(i), lambda image=image: image) for i, image in enumerate(images)] * 2
    return lambda: measure_images(
        unread, len(unread), lambda image: measure_image(image, "landscape"), workers
    )


def shortest(functions: dict[str, Callable[[], object]], rounds: int) -> dict[str, Seconds]:
    """The shortest time of each function over ``rounds`` rounds of all of them."""
    least: dict[str, Seconds] = {}
    for _ in range(rounds):
        for name, function in functions.items():
            seconds = seconds_of(function)
            least[name] = Seconds(*np.minimum(seconds, least.get(name, seconds)).tolist())
    return least


def main(_) -> None:
    cv2.setNumThreads(1)
    source = repeated_images(FLAGS.data, HEIGHT, WIDTH, SAMPLE_TRAIN + SAMPLE_VALIDATION)
    images = [source.read(name) for name in source.names[: FLAGS.pictures]]
    count = len(images)
    measure(images[0])  # makes the filter banks, which are then kept
    parts = parts_of(images)
    commands = {f"{workers} workers": command_of(images, workers) for workers in (1, 2)}
    whole = {"all": lambda: [measure(image) for image in images]}
    seconds = shortest(commands | whole | parts, FLAGS.rounds)

    size = np.mean([image[..., 0].size for image in images]) / 1e6
    one, two = seconds["1 workers"], seconds["2 workers"]
    show(
        f"VIQET, {count} images of {size:.1f} megapixels, {cores()} cores",
        [
            Line(
                "seconds per image, one core",
                seconds["all"].clock / count,
                "<=",
                2.0,
                f"{seconds['all'].processor / count:.2f} s of processor time",
            ),
            Line(
                "two workers / one",
                one.clock / two.clock,
                ">=",
                1.8,
                f"{2 * count / one.clock:.2f} and {2 * count / two.clock:.2f} images/s; "
                f"{one.processor / 2 / count:.2f} and {two.processor / 2 / count:.2f} s of "
                f"processor time per image",
            ),
        ],
    )
    total = sum(seconds[part].clock for part in parts)
    print("shares: " + ", ".join(f"{part} {seconds[part].clock / total:.0%}" for part in parts))


if __name__ == "__main__":
    app.run(main)
