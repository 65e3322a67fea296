"""One worker of benchmarks.workers: it prints its seconds by phase as JSON.

Usage: python -m benchmarks.worker DIRECTORY STEPS PATCH, with ``TF_CONFIG`` in the environment.
"""

import dataclasses
import json
import pathlib
import sys
import time

import numpy as np

from rts_tf.cli.startup import load_tensorflow

SIDE = 512  # height and width of the images in pixels
IMAGES = 8
WARM_UP = 20  # steps


def main(directory: pathlib.Path, steps: int, patch: int) -> dict[str, float]:
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
    from rts_tf.training.phase_a import fit
    from rts_tf.training.phase_b import build_targets
    from rts_tf.training.trainer import Trainer

    workers = connect()
    precision = resolve_precision("auto")
    config = preset("standard", network="residual3", precision=precision, patch=patch)
    pixels = _pixels()
    images = ImageSource(tuple(pixels), pixels.__getitem__, "the images")
    source = build_source(
        directory / "source", images, Degradation.of(config), config.patch, 1, workers=workers
    )
    arrived: dict[int, float] = {}

    def batches(first: int):
        return training_batches(
            source,
            None,
            patch=config.patch,
            batch=config.batch,
            positions=config.patches_per_image,
            seed=1,
            stage=1,
            first_step=first,
        )

    def on_report(step: int, loss: float, rate: float) -> None:
        arrived[step] = time.monotonic()

    start = networks.build("residual3").get_weights()
    total, seconds = WARM_UP + steps, {}
    for of_step in dict.fromkeys((precision, "float32")):
        trainer = Trainer(dataclasses.replace(config, precision=of_step), workers.strategy)
        fit(trainer, start, batches, total + 10, directory / of_step, on_report, workers=workers)
        seconds[f"Phase A, {of_step}"] = arrived[total] - arrived[WARM_UP]

    network = networks.build("residual3", precision=precision)
    enhancer = Enhancer(network)
    enhancer.enhance(np.zeros([SIDE, SIDE, 3], np.uint8))  # is traced
    workers.any(False)
    began = time.monotonic()
    build_targets(
        directory / "targets", source, enhancer, anchor="low", weights="", workers=workers
    )
    return seconds | {f"Phase B, {precision}": time.monotonic() - began}


def _pixels() -> dict[str, np.ndarray]:
    """Eight images by name, cut from those that come with scikit-image."""
    from skimage import data

    whole = [data.astronaut(), data.rocket(), data.chelsea(), data.coffee()]
    rows = np.concatenate([np.resize(image, (SIDE, SIDE, 3)) for image in whole])
    return {f"{k}": np.roll(rows, 131 * k, axis=0)[:SIDE] for k in range(IMAGES)}


if __name__ == "__main__":
    print(json.dumps(main(pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:]))))
