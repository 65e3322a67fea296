"""Directories of TFRecord shards that are whole, or not there.

A set of shards is written in ``NAME.partial``. Each shard is a ``.tfrecord`` and a ``.json`` with its record names, size
and SHA-256; both are fsynced and renamed into place, the ``.json`` last, so after a crash the finished shards are kept
and the others written again. When all are there, one rename of the directory publishes the set as ``NAME``.

The manifest of a published set has the hashes of all its shards. On opening, every shard is hashed. A missing or damaged one
is named and written again from what it was made of; if it then comes out different, or if a file lies there that does not
belong, the set is refused.
"""

import collections
import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rts_tf.errors import ShardError
from rts_tf.storage import sync, write_text


class Record(NamedTuple):
    """One picture in a shard."""

    name: str
    index: int  # of the picture in its set; seeds the places of its patches
    arrays: dict[str, np.ndarray]  # HxWx3
    note: dict = {}  # figures to keep in the shard's .json, JSON types


@dataclasses.dataclass(frozen=True)
class ShardSet:
    """A published set: ``shards`` are the contents of the ``.json`` files, in order."""

    directory: pathlib.Path
    made_from: dict
    shards: tuple[dict, ...]

    @property
    def files(self) -> list[str]:
        return [str(self.directory / shard["file"]) for shard in self.shards]

    @property
    def sizes(self) -> dict[str, tuple[int, int]]:
        """(height, width) by picture name."""
        return {name: tuple(size) for shard in self.shards for name, size in shard["sizes"].items()}

    @property
    def notes(self) -> dict[str, dict]:
        """What the writer noted, by picture name."""
        return {name: note for shard in self.shards for name, note in shard["notes"].items()}

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the hashes of all shards."""
        return hashlib.sha256(
            "".join(shard["sha256"] for shard in self.shards).encode()
        ).hexdigest()

    def records(self, shard: int, dtypes: dict[str, type]) -> Iterable[Record]:
        """The pictures of one shard; ``dtypes`` names the arrays wanted and their type."""
        options = tf.data.Options()
        options.autotune.enabled = (
            False  # it has nothing to tune, and at the end of an iterator it waits up to seconds
        )
        for raw in tf.data.TFRecordDataset(self.files[shard]).with_options(options):
            example = tf.train.Example.FromString(raw.numpy())
            value = lambda key: example.features.feature[key]  # noqa: B023, E731
            height, width = value("size").int64_list.value
            arrays = {}
            for key, dtype in dtypes.items():
                flat = np.frombuffer(value(key).bytes_list.value[0], dtype)
                half = (height // 2, width // 2, 3)
                arrays[key] = flat.reshape(half if key == "lr" else (height, width, 3))
            yield Record(
                value("name").bytes_list.value[0].decode(),
                value("index").int64_list.value[0],
                arrays,
            )


def build(
    directory: pathlib.Path,
    count: int,
    records: Callable[[int], Iterable[Record]],
    dtypes: dict[str, type],
    made_from: dict,
    warn: Callable[[str], None] = print,
) -> ShardSet:
    """Open the set of ``count`` shards at ``directory``, writing what of it is missing or damaged.

    A thread of its own writes, hashes and syncs what ``records`` made while that makes the next.

    Args:
        records: yields the records of shard k; must give the same ones whenever it is called.
        dtypes: the names of the arrays in the shards, and the type in which they are written.
        made_from: what decides the contents, JSON types; a set made from something else is written afresh.
        warn: called with one line for each damaged shard.

    Raises:
        ShardError: a stray file, a damaged shard that cannot be made again as it was, or a disk that is full.
    """
    partial = directory.with_name(directory.name + ".partial")
    if directory.exists():
        problems = find_problems(directory, made_from)
        if not problems:
            return open_set(directory)
        for file, problem in problems.items():
            warn(f"{directory / file}: {problem}; it is made again")
        shutil.rmtree(partial, ignore_errors=True)
        os.replace(directory, partial)
    manifest = _prepare(partial, made_from, count)

    def steps() -> Iterator[Callable[[], None]]:
        for k in range(count):
            if not (partial / f"{k:05d}.json").exists():
                shard = _Shard(partial, k, dtypes, manifest.get("sha256", {}).get(f"{k:05d}"))
                for record in records(k):
                    yield functools.partial(shard.add, record)
                yield shard.finish

    with ThreadPoolExecutor(
        1
    ) as writer:  # which ends what it was given, whatever happens to ``records``
        behind = collections.deque()
        for step in steps():
            behind.append(writer.submit(step))
            if len(behind) > 1:
                behind.popleft().result()
        while behind:
            behind.popleft().result()
    manifest["sha256"] = {
        f"{k:05d}": _read_json(partial / f"{k:05d}.json")["sha256"] for k in range(count)
    }
    write_text(partial / "manifest.json", json.dumps(manifest, indent=1))
    sync(partial)
    os.replace(partial, directory)
    sync(directory.parent)
    return open_set(directory)


def _prepare(partial: pathlib.Path, made_from: dict, count: int) -> dict:
    """Make ``partial`` hold nothing but whole shards made from ``made_from``, and return its manifest."""
    manifest = _read_json(partial / "manifest.json") or {}
    if (manifest.get("made_from"), manifest.get("shards")) != (made_from, count):
        manifest = {"made_from": made_from, "shards": count}
        shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, exist_ok=True)
    write_text(partial / "manifest.json", json.dumps(manifest, indent=1))
    kept = {"manifest.json"}
    for k in range(count):
        note = partial / f"{k:05d}.json"
        if not _shard_problem(partial, _read_json(note)):
            kept |= {note.name, f"{k:05d}.tfrecord"}
    for file in (
        partial.iterdir()
    ):  # whatever else a crash left, of atomic_path too: once published it would be a stray
        if file.name not in kept:
            file.unlink()
    return manifest


class _Shard:
    """A shard that is being written."""

    def __init__(
        self, partial: pathlib.Path, k: int, dtypes: dict[str, type], expected: str | None
    ):
        """``expected``: the SHA-256 it was published with, if it was."""
        self.path, self.temporary = partial / f"{k:05d}.tfrecord", partial / f"{k:05d}.tmp"
        self.dtypes, self.expected = dtypes, expected
        self.sizes, self.notes = {}, {}
        with self._disk():
            self.writer = tf.io.TFRecordWriter(str(self.temporary))

    def add(self, record: Record) -> None:
        arrays = {
            key: record.arrays[key].astype(dtype, copy=False) for key, dtype in self.dtypes.items()
        }
        size = next(iter(arrays.values())).shape[:2]
        self.sizes[record.name], self.notes[record.name] = size, record.note
        with self._disk():
            self.writer.write(_serialize(record, arrays, size))

    def finish(self) -> None:
        """Close the shard and publish it, the ``.json`` last. Raises ShardError if it is not what it was."""
        with self._disk():
            self.writer.close()
            sync(self.temporary)
            os.replace(self.temporary, self.path)
            note = {"file": self.path.name, "sizes": self.sizes, "notes": self.notes}
            note |= {"bytes": self.path.stat().st_size, "sha256": _sha256(self.path)}
            if self.expected and self.expected != note["sha256"]:
                raise ShardError(
                    f"{self.path}: made again, it differs from what the run began with: the photographs or the library"
                    " changed. Start a new run in another --workdir."
                )
            write_text(self.path.with_suffix(".json"), json.dumps(note))

    @contextlib.contextmanager
    def _disk(self) -> Iterator[None]:
        """An error of the disk removes what was written, and becomes one line."""
        try:
            yield
        except (tf.errors.OpError, OSError) as error:
            self.temporary.unlink(missing_ok=True)
            free = shutil.disk_usage(self.path.parent).free / 1e6
            reason = f"{_first_line(error)}; {free:.0f} MB free"
            raise ShardError(
                f"{self.path}: cannot be written ({reason}); make room, go on"
            ) from None


def _serialize(record: Record, arrays: dict[str, np.ndarray], size: tuple[int, int]) -> bytes:
    def feature(*values):
        if isinstance(values[0], bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    features = {
        "name": feature(record.name.encode()),
        "index": feature(record.index),
        "size": feature(*size),
    }
    features |= {key: feature(array.tobytes()) for key, array in arrays.items()}
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString(
        deterministic=True
    )


def find_problems(directory: pathlib.Path, made_from: dict | None = None) -> dict[str, str]:
    """What is wrong with a published set, by file name; {} where it is whole.

    ``made_from``: what it must have been made from; None: whatever it was. Raises ShardError for a stray file.
    """
    manifest = _read_json(directory / "manifest.json")
    if not manifest or made_from not in (None, manifest.get("made_from")):
        return {"manifest.json": "is damaged, or of other settings"}
    stems = {f"{k:05d}" for k in range(manifest["shards"])}
    for file in sorted(directory.iterdir()):
        if file.name != "manifest.json" and (
            file.stem not in stems or file.suffix not in (".tfrecord", ".json")
        ):
            raise ShardError(
                f"{file}: does not belong to this run; move it away and run the command again"
            )
    notes = {stem: _read_json(directory / f"{stem}.json") for stem in sorted(stems)}
    found = {f"{stem}.tfrecord": _shard_problem(directory, note) for stem, note in notes.items()}
    return {file: problem for file, problem in found.items() if problem}


def _shard_problem(directory: pathlib.Path, note: dict | None) -> str:
    if not note:
        return "its .json is missing or damaged"
    path = directory / note["file"]
    if not path.exists():
        return "is missing"
    if path.stat().st_size != note["bytes"]:
        return f"has {path.stat().st_size} bytes instead of {note['bytes']}"
    return (
        "" if _sha256(path) == note["sha256"] else "does not have the SHA-256 it was written with"
    )


def open_set(directory: pathlib.Path) -> ShardSet:
    """A published set as it is: nothing is hashed, nothing made again."""
    manifest = _read_json(directory / "manifest.json")
    notes = tuple(_read_json(directory / f"{k:05d}.json") for k in range(manifest["shards"]))
    return ShardSet(directory, manifest["made_from"], notes)


def _read_json(path: pathlib.Path) -> dict | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _sha256(path: pathlib.Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200]
