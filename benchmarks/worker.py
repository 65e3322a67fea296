"""One worker of benchmarks.workers, which tells it when to do the next piece of work.

Usage: python -m benchmarks.worker DIRECTORY ROUNDS PATCH, with ``TF_CONFIG`` in the environment.

It prints its phases as JSON. Then it does ``ROUNDS`` pieces of work in each phase: each when a line
is written to its standard input, and it answers with the seconds that the piece took.
"""

import dataclasses
import json
import pathlib
import sys
import time

import numpy as np

from rts_tf.cli.startup import load_tensorflow
from rts_tf.workers import Workers

SIDE = 512  # height and width of the images in pixels
IMAGES = 8
WARM_UP = 20  # steps


class Turns:
    """The pieces of work, each of which all workers begin together."""

    def __init__(self, workers: Workers):
        self._workers = workers

    def begin(self) -> None:
        """Wait until the next piece is to be done."""
        sys.stdin.readline()
        self._workers.any(False)
        self._began = time.monotonic()

    def end(self) -> None:
        """Answer that the piece is done."""
        print(time.monotonic() - self._began, flush=True)


def main(directory: pathlib.Path, rounds: int, patch: int) -> None:
    """Train and make targets in ``directory``, which all workers share."""
    load_tensorflow()
    from rts_tf import networks
    from rts_tf.config import preset
    from rts_tf.data.datasets import ImageSource
    from rts_tf.data.degradation import Degradation
    from rts_tf.data.patches import training_batches
    from rts_tf.data.source_shards import build_source
    from rts_tf.inference import Enhancer
    from rts_tf.networks.precision import resolve_precision
    from rts_tf.training.cluster import connect
    from rts_tf.training.phase_a import REPORT_EVERY, fit
    from rts_tf.training.phase_b import build_targets
    from rts_tf.training.trainer import Trainer

    workers = connect()
    turns = Turns(workers)
    precision = resolve_precision("auto")
    precisions = list(dict.fromkeys((precision, "float32")))
    phases = [f"Phase A, {of_step}" for of_step in precisions]
    print(json.dumps([*phases, f"Phase B, {precision}"]), flush=True)

    config = preset("standard", network="residual3", precision=precision, patch=patch)
    pixels = _pixels()
    images = ImageSource(tuple(pixels), pixels.__getitem__, "the images")

    def source(images_per_shard: int):
        return build_source(
            directory / f"source_{images_per_shard}",
            images,
            Degradation.of(config),
            config.patch,
            images_per_shard,
            workers=workers,
        )

    trained_on, alone = source(config.images_per_shard), source(1)

    def batches(first: int):
        return training_batches(
            trained_on,
            None,
            patch=config.patch,
            batch=config.batch,
            positions=config.patches_per_image,
            seed=1,
            stage=1,
            first_step=first,
        )

    total = WARM_UP + REPORT_EVERY * rounds

    def on_report(step: int, loss: float, rate: float) -> None:
        if step > WARM_UP:
            turns.end()
        if WARM_UP <= step < total:
            turns.begin()

    start = networks.build("residual3").get_weights()
    for of_step in precisions:
        trainer = Trainer(dataclasses.replace(config, precision=of_step), workers.strategy)
        fit(trainer, start, batches, total, directory / of_step, on_report, workers=workers)

    network = networks.build("residual3", precision=precision)
    enhancer = Enhancer(network)
    enhancer.enhance(np.zeros([SIDE, SIDE, 3], np.uint8))  # is traced
    for number in range(rounds):
        turns.begin()
        folder = directory / f"targets_{number}"
        build_targets(folder, alone, enhancer, anchor="low", weights="", workers=workers)
        turns.end()


def _pixels() -> dict[str, np.ndarray]:
    """Eight images by name, cut from those that come with scikit-image."""
    from skimage import data

    whole = [data.astronaut(), data.rocket(), data.chelsea(), data.coffee()]
    rows = np.concatenate([np.resize(image, (SIDE, SIDE, 3)) for image in whole])
    return {f"{k}": np.roll(rows, 131 * k, axis=0)[:SIDE] for k in range(IMAGES)}


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:]))
