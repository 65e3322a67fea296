"""Writes the source shards at the beginning of a run: each usable image once, as HR_0 and LR."""

import math
import pathlib
import shutil
from collections.abc import Callable, Iterator

import numpy as np

from rts_tf.data.datasets import ImageSource
from rts_tf.data.degradation import Degradation
from rts_tf.data.shard_writer import build
from rts_tf.data.shards import Record, ShardSet
from rts_tf.errors import ConfigError, ImageError, printable
from rts_tf.workers import ALONE, Workers

DTYPES: dict[str, type] = {"hr": np.uint8, "lr": np.uint8}


def build_source(
    directory: pathlib.Path,
    images: ImageSource,
    degradation: Degradation,
    smallest: int,
    images_per_shard: int,
    warn: Callable[[str], None] = print,
    *,
    made_on: str = "",
    on_image: Callable[[], None] = lambda: None,
    workers: Workers = ALONE,
) -> ShardSet:
    """Write the source shards, or open those that are there.

    The arrays are ``hr``, uint8 [H, W, 3] with even sides (an odd last row or column is cut off),
    and ``lr``, uint8 [H/2, W/2, 3], in as many variants as the degradation has.

    Args:
        smallest: The shortest side, in pixels, of an image that is used. Images that are smaller or
            cannot be read are skipped.
        warn: Called with one line for each image that is skipped, and as
            :func:`rts_tf.data.shard_writer.build` says.
        made_on: The instruction set of this CPU, see :func:`rts_tf.data.shard_writer.build`.
        on_image: Called after each image of ``images``, in the thread of the caller.
        workers: The workers that share out the shards. Every one must make this call.

    Raises:
        ConfigError: None of the images can be used.
        ShardError: See :func:`rts_tf.data.shard_writer.build`.
    """
    names = images.names
    groups = [names[i : i + images_per_shard] for i in range(0, len(names), images_per_shard)]

    def records(k: int) -> Iterator[Record]:
        for i, name in enumerate(groups[k]):
            try:
                image = _usable(images.read(name), name, smallest)
            except ImageError as error:
                warn(printable(f"skipped {error}"))
                continue
            variants = [degradation(image, name, v) for v in range(degradation.variants)]
            arrays = {"hr": image, "lr": np.stack(variants)}
            yield Record(name, k * images_per_shard + i, arrays)
            on_image()

    count = math.ceil(len(names) / images_per_shard)
    made_from = {"photographs": list(names), "smallest": smallest}
    made_from |= degradation.record()
    source = build(
        directory, count, records, DTYPES, made_from, warn, made_on=made_on, workers=workers
    )
    if not source.sizes:
        with workers.together():  # all have opened the set
            pass
        shutil.rmtree(directory, ignore_errors=True)  # so that the same call looks again
        raise ConfigError(
            f"{images.origin}: none of its {len(names)} images can be used; the lines above say"
            f" why. Each needs {smallest} pixels a side (for training, that is `patch`)."
        )
    return source


def _usable(image: np.ndarray, name: str, smallest: int) -> np.ndarray:
    """Cut ``image`` to even sides. Raises ImageError if it is smaller than ``smallest``."""
    height, width = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
    if min(height, width) < smallest:
        size = f"{image.shape[1]}x{image.shape[0]}"
        raise ImageError(f"{name}: {size} is smaller than {smallest} pixels a side")
    return np.ascontiguousarray(image[:height, :width])
