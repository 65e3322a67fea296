"""The images of a shard set as floating point: LR, HR_0, and HR_n beside it.

Each function reads all images, or those of given names. It reads no shard that holds none of them.
"""

from collections.abc import Collection, Iterator

import numpy as np

from rts_tf.data.shards import ShardSet
from rts_tf.images.dtypes import to_float

Named = tuple[str, np.ndarray]  # name of the image, float32 [H, W, 3]
Names = Collection[str] | None  # None stands for all


def originals(source: ShardSet, names: Names = None) -> Iterator[Named]:
    """The name of each image, and HR_0 in [0, 1]."""
    return _images(source, "hr", np.uint8, names)


def reduced(source: ShardSet, names: Names = None) -> Iterator[Named]:
    """The name of each image, and its (first) LR in [0, 1]."""
    return _images(source, "lr", np.uint8, names)


def enhanced(stage: ShardSet, names: Names = None) -> Iterator[Named]:
    """The name of each image, and HR_n, nominally in [0, 1], not clipped."""
    return _images(stage, "target", np.float16, names)


def pairs(
    source: ShardSet, stage: ShardSet | None, names: Names = None
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The name, HR_0 and HR_n of each image. HR_n is HR_0 where ``stage`` is None."""
    if stage is None:
        yield from ((name, hr_0, hr_0) for name, hr_0 in originals(source, names))
        return
    both = zip(originals(source, names), enhanced(stage, names), strict=True)
    for (name, hr_0), (_, hr_n) in both:
        yield name, hr_0, hr_n


def _images(shards: ShardSet, key: str, dtype: type, names: Names) -> Iterator[Named]:
    wanted = None if names is None else set(names)
    for k, shard in enumerate(shards.shards):
        if wanted is not None and wanted.isdisjoint(shard["sizes"]):
            continue
        for record in shards.records(k, {key: dtype}):
            if wanted is None or record.name in wanted:
                yield record.name, to_float(record.arrays[key])
