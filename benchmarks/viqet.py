"""VIQET: seconds for a photograph of two megapixels on one core, what they go into, and what a second core brings.

    python -m benchmarks.viqet                  # half a minute on two cores
    python -m benchmarks.viqet --data=FOLDER    # own photographs; best of 2 megapixels

Everything is interleaved over the rounds, and the least time of each part counts. The two workers are the threads of
``python -m rts_tf.viqet``. Without ``--data``: photographs from scikit-image, repeated to 2040x1356 pixels.
"""

import itertools
import os

import cv2
import numpy as np
from absl import app, flags

from benchmarks.table import Line, Seconds, seconds_of, show
from rts_tf.data.datasets import SAMPLE_TRAIN, SAMPLE_VALIDATION, folder, sample
from rts_tf.metrics.viqet import measure
from rts_tf.metrics.viqet.features import EXTRACTORS
from rts_tf.metrics.viqet.preparation import prepare
from rts_tf.viqet import Photo, measure_photos

FLAGS = flags.FLAGS
flags.DEFINE_string(
    "data", "", "Folder of photographs; empty: photographs from scikit-image, repeated."
)
flags.DEFINE_integer("pictures", 4, "How many photographs.")
flags.DEFINE_integer("rounds", 3, "Times that everything is measured.")

HEIGHT, WIDTH = 1356, 2040


def pictures() -> list[np.ndarray]:
    """The first photographs that --data names, [H, W, 3]."""
    photos = folder(FLAGS.data) if FLAGS.data else sample(SAMPLE_TRAIN + SAMPLE_VALIDATION)
    found = [photos.read(name) for name in itertools.islice(photos.names, FLAGS.pictures)]
    if FLAGS.data:
        return found
    tiles = [(-(-HEIGHT // len(p)), -(-WIDTH // p.shape[1]), 1) for p in found]
    return [np.tile(p, t)[:HEIGHT, :WIDTH] for p, t in zip(found, tiles)]


def main(_) -> None:
    cv2.setNumThreads(1)
    measured = pictures()
    prepared = [prepare(p) for p in measured]
    photos = [Photo(str(i), lambda p=p: p) for i, p in enumerate(measured)] * 2
    parts = {"preparation": lambda i: prepare(measured[i])}
    parts |= {name: lambda i, of=of: of(prepared[i]) for name, of in EXTRACTORS.items()}
    measure(measured[0])  # builds the filters
    least: dict[str, Seconds] = {}

    def note(what: str, function) -> None:
        seconds = seconds_of(function)
        least[what] = Seconds(*np.minimum(seconds, least.get(what, seconds)))

    for _ in range(FLAGS.rounds):
        for workers in (1, 2):
            note(
                f"{workers} workers",
                lambda workers=workers: measure_photos(photos, "landscape", workers),
            )
        note("all", lambda: [measure(p) for p in measured])
        for name, of in parts.items():
            note(name, lambda of=of: [of(i) for i in range(len(measured))])

    count = len(measured)
    each = {what: Seconds(*np.divide(seconds, count)) for what, seconds in least.items()}
    size = np.mean([p.shape[0] * p.shape[1] for p in measured]) / 1e6
    one, two = least["1 workers"], least["2 workers"]
    show(
        f"VIQET, {count} pictures of {size:.1f} megapixels, {os.cpu_count()} cores",
        [
            Line(
                "seconds a picture, one core",
                each["all"].clock,
                "<=",
                2.0,
                f"{each['all'].processor:.2f} s of the processor",
            ),
            Line(
                "two workers / one",
                one.clock / two.clock,
                ">=",
                1.8,
                f"{2 * count / one.clock:.2f} and {2 * count / two.clock:.2f} pictures/s;"
                f" {one.processor / 2 / count:.2f} and {two.processor / 2 / count:.2f} s of the processor each",
            ),
        ],
    )
    total = sum(each[part].clock for part in parts)
    print("of it: " + ", ".join(f"{part} {each[part].clock / total:.0%}" for part in parts))


if __name__ == "__main__":
    app.run(main)
