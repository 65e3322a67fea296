"""Reads the images of one shard, which somebody else may have made: whatever is in the file.

A record of a TFRecord file is the length of its data, a checksum, the data, and a checksum. Reading
it here takes no time, while every ``tf.data.TFRecordDataset`` costs 12 ms to build. The checksums
are not looked at, because the hash of the file is compared before.
"""

import math
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from rts_tf.errors import ShardError, first_line

LARGEST_SIDE = 2**24  # pixels, far beyond what can be trained on
# The arrays that are no RGB images: luma, and what a teacher makes of it
_ONE_CHANNEL = ("luma", "luma_target")


class Stored(NamedTuple):
    """One image of a shard: its name, its number in the set, and its arrays by name."""

    name: str
    number: int
    arrays: dict[str, np.ndarray]


def channels_of(key: str) -> int:
    """The channels of the array ``key``."""
    return 1 if key in _ONE_CHANNEL else 3


def read_records(file: str, dtypes: Mapping[str, type]) -> Iterator[Stored]:
    """Yield the images of a shard.

    Args:
        file: The path of the shard.
        dtypes: The arrays that are wanted, and the type in which each is stored. Of LR, the first
            variant is read.

    Raises:
        ShardError: The file ends within an image, or holds something else than such images.
    """
    for number, serialized in enumerate(_examples(file), start=1):
        try:
            stored = _decoded(serialized, dtypes)
        except (DecodeError, IndexError, ValueError, OverflowError) as error:
            raise ShardError(
                f"{file}: record {number} is no image of rts_tf ({first_line(error)})"
            ) from None
        yield stored


def _decoded(serialized: bytes, dtypes: Mapping[str, type]) -> Stored:
    features: Any = tf.train.Example.FromString(serialized).features.feature
    height, width = features["size"].int64_list.value
    if not (0 < height <= LARGEST_SIDE and 0 < width <= LARGEST_SIDE):
        raise ValueError(f"its size is {height} x {width}")
    arrays = {}
    for key, dtype in dtypes.items():
        size = (height // 2, width // 2) if key == "lr" else (height, width)
        shape = (*size, channels_of(key))
        stored = features[key].bytes_list.value[0]
        arrays[key] = np.frombuffer(stored, dtype, math.prod(shape)).reshape(shape)
    name, index = features["name"].bytes_list.value[0], features["index"].int64_list.value
    return Stored(name.decode(), index[0], arrays)


def _examples(file: str) -> Iterator[bytes]:
    """The serialized images of a shard."""
    with open(file, "rb") as shard:
        left = os.fstat(shard.fileno()).st_size
        while head := shard.read(12):
            size = int.from_bytes(head[:8], "little")
            left -= 16 + size
            if len(head) < 12 or left < 0:  # before memory is asked for
                raise ShardError(f"{file}: ends within an image")
            data = shard.read(size)
            if len(data) < size or len(shard.read(4)) < 4:
                raise ShardError(f"{file}: ends within an image")
            yield data


def record_problem(contents: dict[str, Any], stem: str) -> str:
    """What is wrong with the .json file of the shard ``stem``; empty if nothing is."""
    kinds = {"file": str, "sizes": dict, "notes": dict, "bytes": int, "sha256": str}
    for key, kind in kinds.items():
        if type(contents.get(key)) is not kind:
            return f"has no {key!r} that can be used"
    if contents["file"] != f"{stem}.tfrecord":
        return f"names another file, {contents['file'][:100]!r}"
    sizes = contents["sizes"].values()
    if not all(
        isinstance(size, list) and [type(side) for side in size] == [int] * 2 for size in sizes
    ):
        return "has sizes of images that cannot be"
    if not all(isinstance(note, dict) for note in contents["notes"].values()):
        return "has notes that cannot be"
    return "" if contents["sha256"].isascii() else "has a hash that cannot be"
