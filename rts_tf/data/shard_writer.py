"""Writes sets of TFRecord shards (:mod:`rts_tf.data.shards`) that are whole, or not there at all.

A set is written in the directory ``NAME.partial``. The files of each shard are synced and renamed
into place, its .json last. After a crash the finished shards are kept, and only the others are
written again. When all are there, one rename publishes the directory as ``NAME``.

When a published set is opened, every shard is verified by its hash. A missing or damaged shard is
made again from what it was made of, and compared with the hash that it was published with.
"""

import collections
import contextlib
import functools
import json
import pathlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import tensorflow as tf

from rts_tf.data.shards import (
    MANIFEST,
    Record,
    ShardSet,
    find_problem,
    find_problems,
    open_set,
    serialize,
    size_of,
    stem_of,
)
from rts_tf.errors import ShardError, first_line
from rts_tf.storage import (
    publish,
    read_json,
    read_json_or_none,
    rename,
    sha256_of_file,
    write_text,
)


def build(
    directory: pathlib.Path,
    count: int,
    records: Callable[[int], Iterable[Record]],
    dtypes: Mapping[str, type],
    made_from: dict[str, Any],
    warn: Callable[[str], None] = print,
    *,
    made_on: str = "",
) -> ShardSet:
    """Open the set of ``count`` shards at ``directory``, and write what is missing or damaged.

    A shard that is made again on the same kind of CPU must be the same to the last bit. On another
    CPU floating point results may differ by rounding, so there a shard that comes out different is
    kept, and ``warn`` is called.

    A second thread writes, hashes and syncs images while ``records`` makes the next one.

    Args:
        records: Yields the images of shard k. It must yield the same ones at every call.
        dtypes: The arrays to store, and the type in which each is stored.
        made_from: What the contents depend on, as JSON types. A set that was made from something
            else is replaced.
        warn: Called with one line for each damaged shard, and for each one that is kept although
            it comes out different.
        made_on: The instruction set of this CPU
            (:func:`rts_tf.networks.precision.instruction_set`), which is recorded for each shard.
            If it is empty, shards made again must be the same whatever they were first made on.
            A shard of an earlier version, which recorded nothing, counts as made on another CPU.

    Raises:
        ShardError: The directory holds a file that does not belong there, a shard made again on
            the same CPU comes out different, or the disk is full.
    """
    partial = directory.with_name(directory.name + ".partial")
    if directory.exists():
        problems = find_problems(directory, made_from)
        if not problems:
            return open_set(directory)
        for file, problem in problems.items():
            warn(f"{directory / file}: {problem}; it is made again")
        shutil.rmtree(partial, ignore_errors=True)
        rename(directory, partial)
    manifest = _prepare(partial, made_from, count)
    missing = [k for k in range(count) if not (partial / f"{stem_of(k)}.json").exists()]

    def steps() -> Iterator[Callable[[], str]]:
        for k in missing:
            shard = _Shard(directory, partial, k, dtypes, manifest=manifest, made_on=made_on)
            for record in records(k):
                yield functools.partial(shard.add, record)
            yield shard.finish

    _run_behind(steps(), warn)
    _write_manifest(partial, made_from, count)
    publish(partial, directory)
    return open_set(directory)


def _run_behind(steps: Iterable[Callable[[], str]], warn: Callable[[str], None]) -> None:
    """Call each of ``steps`` in a second thread while ``steps`` makes the next one.

    ``warn`` is called in this thread, with what a step returns unless that is empty.
    """

    def wait_for(step: Future[str]) -> None:
        if line := step.result():
            warn(line)

    # On leaving, the executor finishes the steps that it was given, even if an error is raised.
    with ThreadPoolExecutor(1) as executor:
        pending: collections.deque[Future[str]] = collections.deque()
        for step in steps:
            pending.append(executor.submit(step))
            if len(pending) > 1:
                wait_for(pending.popleft())
        while pending:
            wait_for(pending.popleft())


def _write_manifest(partial: pathlib.Path, made_from: dict[str, Any], count: int) -> None:
    """Write the manifest of a set whose shards are all there."""
    shards = {
        stem: read_json(partial / f"{stem}.json") or {} for stem in map(stem_of, range(count))
    }
    manifest: dict[str, Any] = {"made_from": made_from, "shards": count}
    manifest["sha256"] = {stem: shard["sha256"] for stem, shard in shards.items()}
    known = {stem: shard["made_on"] for stem, shard in shards.items() if "made_on" in shard}
    if known:
        manifest["made_on"] = known
    write_text(partial / MANIFEST, json.dumps(manifest, indent=1))


def _prepare(partial: pathlib.Path, made_from: dict[str, Any], count: int) -> dict[str, Any]:
    """Leave nothing in ``partial`` but whole shards made from ``made_from``. Returns the manifest.

    The manifest has the hashes of all shards if the set was published before.
    """
    manifest = read_json_or_none(partial / MANIFEST) or {}
    if (manifest.get("made_from"), manifest.get("shards")) != (made_from, count):
        manifest = {"made_from": made_from, "shards": count}
        shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, exist_ok=True)
    write_text(partial / MANIFEST, json.dumps(manifest, indent=1))
    kept = {MANIFEST}
    for stem in map(stem_of, range(count)):
        if not find_problem(partial, stem):
            kept |= {f"{stem}.json", f"{stem}.tfrecord"}
    # A crash may also leave temporary files, which must not become part of the published set.
    for file in partial.iterdir():
        if file.name not in kept:
            file.unlink()
    return manifest


class _Shard:
    """A shard that is being written."""

    def __init__(
        self,
        directory: pathlib.Path,
        partial: pathlib.Path,
        k: int,
        dtypes: Mapping[str, type],
        *,
        manifest: dict[str, Any],
        made_on: str,
    ):
        stem = stem_of(k)
        self.path, self.temporary = partial / f"{stem}.tfrecord", partial / f"{stem}.tmp"
        self.final_path = directory / self.path.name
        self.dtypes, self.made_on = dtypes, made_on
        # What the shard was published with, if it was
        self.published_sha256 = manifest.get("sha256", {}).get(stem)
        self.published_on = manifest.get("made_on", {}).get(stem, "")
        self.sizes: dict[str, tuple[int, int]] = {}
        self.notes: dict[str, dict[str, Any]] = {}
        with self._disk():
            self.writer = tf.io.TFRecordWriter(str(self.temporary))

    def add(self, record: Record) -> str:
        """Write one image. Returns "", for there is nothing to warn of."""
        self.sizes[record.name], self.notes[record.name] = size_of(record), record.note
        with self._disk():
            self.writer.write(serialize(record, self.dtypes))
        return ""

    def finish(self) -> str:
        """Close the shard and rename it into place, the .json last.

        Returns:
            A line to warn with if the shard differs from the published one and is kept, else "".

        Raises:
            ShardError: The shard must not differ from the published one, but does.
        """
        with self._disk():
            self.writer.close()
            publish(self.temporary, self.path)
            sha256 = sha256_of_file(self.path)
            line = self._compare(sha256)
            contents: dict[str, Any] = {"file": self.path.name}
            contents |= {"sizes": self.sizes, "notes": self.notes}
            contents |= {"bytes": self.path.stat().st_size, "sha256": sha256}
            if self.made_on:
                contents["made_on"] = self.made_on
            write_text(self.path.with_suffix(".json"), json.dumps(contents))
        return line

    def _compare(self, sha256: str) -> str:
        """Compare the hash with that of the published shard. Returns and raises as ``finish``."""
        if self.published_sha256 in (None, sha256):
            return ""
        if not self.made_on or self.made_on == self.published_on:
            raise ShardError(
                f"{self.path}: made again, it differs from what the run began with: the images or"
                " the library changed. Start a new run in another `workdir`."
            )
        before = f"a CPU with {self.published_on}" if self.published_on else "an unknown CPU"
        return (
            f"{self.final_path}: was first made on {before} and differs when made again on this CPU"
            f" with {self.made_on}; the run goes on, and its figures may differ by rounding"
        )

    @contextlib.contextmanager
    def _disk(self) -> Iterator[None]:
        """Turn an error of the disk into a ShardError, and remove what was written."""
        try:
            yield
        except (tf.errors.OpError, OSError) as error:
            self.temporary.unlink(missing_ok=True)
            free = shutil.disk_usage(self.path.parent).free / 1e6
            raise ShardError(
                f"{self.path}: cannot be written ({first_line(error)}; {free:.0f} MB free); make"
                " room and run the command again"
            ) from None
