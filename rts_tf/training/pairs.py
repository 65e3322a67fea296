"""The images of a shard set as floating point: HR_0, and HR_n beside it."""

from collections.abc import Iterator

import numpy as np

from rts_tf.data.shards import ShardSet
from rts_tf.images.dtypes import to_float

Named = tuple[str, np.ndarray]  # name of the image, float32 [H, W, 3]


def originals(source: ShardSet) -> Iterator[Named]:
    """The name of each image, and HR_0 in [0, 1]."""
    for k in range(len(source.shards)):
        for record in source.records(k, {"hr": np.uint8}):
            yield record.name, to_float(record.arrays["hr"])


def enhanced(stage: ShardSet) -> Iterator[Named]:
    """The name of each image, and HR_n, nominally in [0, 1], not clipped."""
    for k in range(len(stage.shards)):
        for record in stage.records(k, {"target": np.float16}):
            yield record.name, to_float(record.arrays["target"])


def pairs(source: ShardSet, stage: ShardSet | None) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The name, HR_0 and HR_n of each image. HR_n is HR_0 where ``stage`` is None."""
    if stage is None:
        yield from ((name, hr_0, hr_0) for name, hr_0 in originals(source))
        return
    for (name, hr_0), (_, hr_n) in zip(originals(source), enhanced(stage), strict=True):
        yield name, hr_0, hr_n
