"""The source shards: every usable photograph once, as HR_0 and LR, written at the beginning of a run."""

import dataclasses
import math
import pathlib
import shutil
from collections.abc import Callable, Iterable

import numpy as np

from rts_tf.data.datasets import ImageSource
from rts_tf.data.degradation import Degradation
from rts_tf.data.shards import Record, ShardSet, build
from rts_tf.errors import ConfigError, ImageError, printable

DTYPES = {"hr": np.uint8, "lr": np.uint8}


def build_source(
    directory: pathlib.Path,
    photos: ImageSource,
    degradation: Degradation,
    smallest: int,
    images_per_shard: int,
    warn: Callable[[str], None] = print,
) -> ShardSet:
    """Write the source shards: arrays ``hr`` uint8 [H, W, 3] with even sides (an odd last row or column is cut off) and
    ``lr`` uint8 [H/2, W/2, 3].

    A photograph that cannot be read or has a side below ``smallest`` pixels is skipped, with one line to ``warn``.

    Raises:
        ConfigError: none of the photographs can be used.
        ShardError: see :func:`rts_tf.data.shards.build`.
    """
    names = photos.names
    groups = [names[i : i + images_per_shard] for i in range(0, len(names), images_per_shard)]

    def records(k: int) -> Iterable[Record]:
        for i, name in enumerate(groups[k]):
            try:
                picture = _usable(photos.read(name), name, smallest)
            except ImageError as error:
                warn(printable(f"skipped {error}"))
                continue
            yield Record(
                name, k * images_per_shard + i, {"hr": picture, "lr": degradation(picture, name)}
            )

    made_from = {
        "photographs": list(names),
        "smallest": smallest,
        **dataclasses.asdict(degradation),
    }
    source = build(
        directory, math.ceil(len(names) / images_per_shard), records, DTYPES, made_from, warn
    )
    if not source.sizes:
        shutil.rmtree(
            directory
        )  # so that the same command looks again when the photographs are mended
        raise ConfigError(
            f"{photos.origin}: none of its {len(names)} photographs can be used; the lines above say why. Each needs"
            f" {smallest} pixels a side (for training, that is --patch)."
        )
    return source


def _usable(picture: np.ndarray, name: str, smallest: int) -> np.ndarray:
    height, width = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
    if min(height, width) < smallest:
        raise ImageError(
            f"{name}: {picture.shape[1]}x{picture.shape[0]} is smaller than {smallest} pixels a side"
        )
    return np.ascontiguousarray(picture[:height, :width])
