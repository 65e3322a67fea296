"""Short trials of phases that come later, so that the time left is right from the start.

Phase B and VIQET begin only after the first Phase A. How they compare with training in speed
depends on the machine and its precision: by a factor of ten and more.
"""

import time
from collections.abc import Iterator

import numpy as np

from rts_tf.data.shards import ShardSet
from rts_tf.images.dtypes import to_float
from rts_tf.metrics.parallel import in_parallel
from rts_tf.metrics.resources import cores
from rts_tf.metrics.viqet import is_measurable, measure
from rts_tf.training.run import Run
from rts_tf.training.work_estimate import MEASURE_WORK

LARGEST = 1024  # pixels a side of what is tried


def try_later_phases(run: Run) -> None:
    """Let the progress of ``run`` learn the speeds of the phases that come after Phase A."""
    work = run.remaining_work()
    if work["Phase B"]:
        run.progress.expect("Phase B", lambda: _phase_b(run))
    if work["VIQET"]:
        run.progress.expect("VIQET", lambda: _viqet(run))


def _phase_b(run: Run) -> float:
    """Seconds for a GFLOP of Phase B. What TensorFlow traces here is used again later."""
    image = to_float(next(_crops(run.validation)))
    enhancer = run.untrained_enhancer()
    enhancer.enhance(image)
    began = time.monotonic()
    enhancer.enhance(image)
    return (time.monotonic() - began) / run.work.of_image(*image.shape[:2])


def _viqet(run: Run) -> float:
    """Seconds for a GFLOP of VIQET, where as many images are measured at once as later."""
    image = next(crop for crop in _crops(run.validation) if is_measurable(*crop.shape[:2]))
    measure(image)
    count, began = cores(), time.monotonic()
    list(in_parallel(measure, [image] * count))
    return (time.monotonic() - began) / (count * MEASURE_WORK)


def _crops(source: ShardSet) -> Iterator[np.ndarray]:
    """The images, uint8 [H, W, 3], of large ones a corner."""
    for k in range(len(source.shards)):
        for record in source.records(k, {"hr": np.uint8}):
            yield record.arrays["hr"][:LARGEST, :LARGEST]
