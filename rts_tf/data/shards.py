"""Reads sets of TFRecord shards, and defines how an image is stored in them.

A set is a directory of numbered shards that :mod:`rts_tf.data.shard_writer` writes. It holds

    00000.tfrecord   the images of the first shard
    00000.json       its hash, and the sizes of its images and notes about them
    manifest.json    what the set was made from, and the hashes of all shards

A set under its own name is whole. If it was damaged afterwards, :func:`find_problems` says where.
"""

import dataclasses
import hashlib
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from rts_tf.data.shard_records import channels_of, read_records, record_problem
from rts_tf.errors import ShardError
from rts_tf.storage import read_json, read_json_or_none, sha256_of_file

MANIFEST = "manifest.json"
_MOST_SHARDS = 99_999  # their names have five digits


@dataclasses.dataclass(frozen=True)
class Record:
    """One image in a shard.

    Attributes:
        name: The name of the image in its source.
        index: The number of the image in its set, which seeds its patch positions.
        arrays: [H, W, 3] by name; ``"lr"`` is [H/2, W/2, 3], or [variants, H/2, W/2, 3] to be
            written, and ``"luma"`` and ``"luma_target"`` are [H, W, 1].
        note: Figures to keep in the shard's .json, as JSON types. Reading does not restore them;
            see :attr:`ShardSet.notes`.
    """

    name: str
    index: int
    arrays: dict[str, np.ndarray]
    note: dict[str, Any] = dataclasses.field(default_factory=dict)


def serialize(record: Record, dtypes: Mapping[str, type]) -> bytes:
    """Turn an image into a ``tf.train.Example``.

    Args:
        dtypes: The arrays to store, and the type in which each is stored.
    """
    features = {
        "name": _bytes_feature(record.name.encode()),
        "index": _integers_feature(record.index),
        "size": _integers_feature(*size_of(record)),
    }
    for key, dtype in dtypes.items():
        features[key] = _bytes_feature(record.arrays[key].astype(dtype, copy=False).tobytes())
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString(deterministic=True)


def parse(
    serialized: tf.Tensor, dtypes: Mapping[str, type], variant: int | tf.Tensor = 0
) -> dict[str, tf.Tensor]:
    """Undo :func:`serialize`, also inside a tf.data pipeline.

    Args:
        serialized: A scalar string.
        dtypes: The arrays that are wanted, and the type in which each is stored.
        variant: Which variant of LR is wanted, an int64 from 0; it is taken modulo the number of
            variants that there are.

    Returns:
        ``name``, a scalar string; ``index``, a scalar int64; ``size``, the height and width of the
        image as int64 [2]; and each array of ``dtypes`` in its shape.
    """
    features = {
        "name": tf.io.FixedLenFeature([], tf.string),
        "index": tf.io.FixedLenFeature([], tf.int64),
        "size": tf.io.FixedLenFeature([2], tf.int64),
        **{key: tf.io.FixedLenFeature([], tf.string) for key in dtypes},
    }
    example = tf.io.parse_single_example(serialized, features)
    height, width = example["size"][0], example["size"][1]
    for key, dtype in dtypes.items():
        shape, stored = [height, width, channels_of(key)], example[key]
        if key == "lr":
            shape = [height // 2, width // 2, 3]
            stored = _variant(stored, height // 2 * (width // 2) * 3, variant)
        example[key] = tf.reshape(tf.io.decode_raw(stored, dtype), shape)
    return example


def _variant(stored: tf.Tensor, size: tf.Tensor, variant: int | tf.Tensor) -> tf.Tensor:
    """The bytes of one variant of LR, which are stored one after the other, ``size`` bytes each."""
    count = tf.strings.length(stored) // tf.cast(size, tf.int32)
    number = tf.cast(variant % tf.cast(count, tf.int64), tf.int32)
    return tf.strings.substr(stored, number * tf.cast(size, tf.int32), tf.cast(size, tf.int32))


def size_of(record: Record) -> tuple[int, int]:
    """The height and width of an image, which are twice those of its LR."""
    key, array = next(iter(record.arrays.items()))
    factor = 2 if key == "lr" else 1
    height, width = array.shape[-3:-1]
    return factor * height, factor * width


def _bytes_feature(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def _integers_feature(*values: int) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


@dataclasses.dataclass(frozen=True)
class ShardSet:
    """A set of shards on disk.

    Attributes:
        directory: Where the set is.
        made_from: What the contents depend on, as JSON types.
        shards: The contents of the .json files, in order.
    """

    directory: pathlib.Path
    made_from: dict[str, Any]
    shards: tuple[dict[str, Any], ...]

    @property
    def files(self) -> list[str]:
        """The paths of the shards, in order."""
        return [str(self.directory / shard["file"]) for shard in self.shards]

    @property
    def sizes(self) -> dict[str, tuple[int, int]]:
        """The height and width of each image, by its name."""
        return {name: tuple(size) for shard in self.shards for name, size in shard["sizes"].items()}

    @property
    def notes(self) -> dict[str, dict]:
        """The note of each image, by its name."""
        return {name: note for shard in self.shards for name, note in shard["notes"].items()}

    @property
    def fingerprint(self) -> str:
        """The SHA-256 over the hashes of all shards."""
        hashes = "".join(shard["sha256"] for shard in self.shards)
        return hashlib.sha256(hashes.encode()).hexdigest()

    def records(self, shard: int, dtypes: Mapping[str, type]) -> Iterator[Record]:
        """Yield the images of one shard.

        Args:
            shard: The number of the shard, from 0.
            dtypes: The arrays that are wanted, and the type in which each is stored. Of LR, the
                first variant is read.

        Raises:
            ShardError: The file ends within an image, or holds something else than such images.
        """
        for stored in read_records(self.files[shard], dtypes):
            yield Record(*stored)


def open_set(directory: pathlib.Path) -> ShardSet:
    """Open a set as it is. Nothing is verified or made again.

    Raises:
        RtsError: The manifest or the .json file of a shard is missing or damaged.
    """
    manifest = _read(directory / MANIFEST)
    if problem := _manifest_problem(manifest):
        raise ShardError(f"{directory / MANIFEST}: {problem}")
    stems = [stem_of(k) for k in range(manifest["shards"])]
    shards = tuple(_read(directory / f"{stem}.json") for stem in stems)
    for stem, shard in zip(stems, shards, strict=True):
        if problem := record_problem(shard, stem):
            raise ShardError(f"{directory / stem}.json: {problem}")
    return ShardSet(directory, manifest["made_from"], shards)


def _manifest_problem(manifest: dict[str, Any]) -> str:
    """What is wrong with a manifest; empty if nothing is."""
    count, made_from = manifest.get("shards"), manifest.get("made_from")
    if type(count) is not int or not 0 <= count <= _MOST_SHARDS or not isinstance(made_from, dict):
        return "is damaged, or was made with other settings"
    return ""


def stem_of(k: int) -> str:
    """The name of shard k without suffix, such as "00000"."""
    return f"{k:05d}"


def find_problems(
    directory: pathlib.Path, made_from: dict[str, Any] | None = None
) -> dict[str, str]:
    """Verify a set with the size and hash of every shard.

    Args:
        made_from: What the set must have been made from; None accepts anything.

    Returns:
        What is wrong, by file name. The dict is empty if the set is whole.

    Raises:
        ShardError: A file in the directory does not belong to the set.
    """
    manifest = read_json_or_none(directory / MANIFEST)
    if not manifest or made_from not in (None, manifest.get("made_from")):
        return {MANIFEST: "is damaged, or was made with other settings"}
    if problem := _manifest_problem(manifest):
        return {MANIFEST: problem}
    stems = [stem_of(k) for k in range(manifest["shards"])]
    names = {MANIFEST, *(stem + suffix for stem in stems for suffix in (".tfrecord", ".json"))}
    for file in sorted(directory.iterdir()):
        if file.name not in names:
            raise ShardError(
                f"{file}: does not belong to this run; move it away and run the command again"
            )
    found = {f"{stem}.tfrecord": find_problem(directory, stem) for stem in stems}
    return {file: problem for file, problem in found.items() if problem}


def find_problem(directory: pathlib.Path, stem: str) -> str:
    """Verify one shard. Returns what is wrong with it, or "" if it is whole."""
    shard = read_json_or_none(directory / f"{stem}.json")
    if not shard:
        return "its .json file is missing or damaged"
    if problem := record_problem(shard, stem):
        return f"its .json file {problem}"
    path = directory / shard["file"]
    if not path.exists():
        return "is missing"
    if path.stat().st_size != shard["bytes"]:
        return f"has {path.stat().st_size} bytes instead of {shard['bytes']}"
    if sha256_of_file(path) != shard["sha256"]:
        return "does not have the SHA-256 that it was written with"
    return ""


def _read(path: pathlib.Path) -> dict[str, Any]:
    contents = read_json(path)
    if contents is None:
        raise ShardError(f"{path}: is missing")
    return contents
