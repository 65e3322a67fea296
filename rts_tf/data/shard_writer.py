"""Writes sets of TFRecord shards (:mod:`rts_tf.data.shards`) that are whole, or not there at all.

A set is written in the directory ``NAME.partial``. The files of each shard are synced and renamed
into place, its .json last. After a crash the finished shards are kept, and only the others are
written again. When all are there, one rename publishes the directory as ``NAME``.

When a published set is opened, every shard is verified by its hash. A missing or damaged shard is
made again from what it was made of, and compared with the hash that it was published with.

Several workers (:mod:`rts_tf.workers`) share out the shards that are missing. The chief publishes
the set when all are there and it has verified each.
"""

import collections
import functools
import json
import pathlib
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from rts_tf.data.shard_file import ShardFile
from rts_tf.data.shards import (
    MANIFEST,
    Record,
    ShardSet,
    find_problem,
    find_problems,
    open_set,
    stem_of,
)
from rts_tf.errors import ShardError
from rts_tf.storage import publish, read_json, read_json_or_none, rename, write_text
from rts_tf.workers import ALONE, SEEN_WITHIN, Workers

# Takes the numbers of shards that are missing, writes them by write_shards in whatever process, and
# returns the lines to warn with.
WriteElsewhere = Callable[[Sequence[int]], list[str]]


def build(
    directory: pathlib.Path,
    count: int,
    records: Callable[[int], Iterable[Record]],
    dtypes: Mapping[str, type],
    made_from: dict[str, Any],
    warn: Callable[[str], None] = print,
    *,
    made_on: str = "",
    workers: Workers = ALONE,
    elsewhere: WriteElsewhere | None = None,
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
        workers: The workers that share out the shards. Every one must make this call.
        elsewhere: Writes shards in other processes, instead of the workers.

    Raises:
        ShardError: The directory holds a file that does not belong there, a shard made again on
            the same CPU comes out different, the disk is full, or another worker has other images.
        WorkerError: Another worker failed, or was lost.
    """
    missing = workers.by_chief(lambda: _missing(directory, count, made_from, warn))
    if missing:
        with workers.together():
            _check_made_from(directory, made_from, workers)
            if elsewhere:
                for line in elsewhere(missing) if workers.is_chief else ():
                    warn(line)
            else:
                mine = workers.share(missing)
                write_shards(directory, mine, records, dtypes, warn, made_on=made_on)
        several = workers.count > 1 or elsewhere is not None
        workers.by_chief(lambda: _publish(directory, count, made_from, verify=several))
    with workers.together():
        if not workers.is_chief:
            _wait_for(directory / MANIFEST, workers)
        return open_set(directory)


def partial_of(directory: pathlib.Path) -> pathlib.Path:
    """The directory in which the set ``directory`` is written before it is published."""
    return directory.with_name(directory.name + ".partial")


def write_shards(
    directory: pathlib.Path,
    numbers: Iterable[int],
    records: Callable[[int], Iterable[Record]],
    dtypes: Mapping[str, type],
    warn: Callable[[str], None],
    *,
    made_on: str = "",
) -> None:
    """Write some shards of the set ``directory`` that :func:`build` is building, in any process.

    The arguments are those of :func:`build`.

    Raises:
        ShardError: See :func:`build`.
    """
    partial = partial_of(directory)
    manifest = read_json_or_none(partial / MANIFEST) or {}

    def steps() -> Iterator[Callable[[], str]]:
        for k in numbers:
            shard = ShardFile(directory, partial, k, dtypes, manifest=manifest, made_on=made_on)
            for record in records(k):
                yield functools.partial(shard.add, record)
            yield shard.finish

    _run_behind(steps(), warn)


def _missing(
    directory: pathlib.Path, count: int, made_from: dict[str, Any], warn: Callable[[str], None]
) -> list[int]:
    """The numbers of the shards that must be written before the set can be published.

    It is empty only if the set is published and whole.
    """
    partial = partial_of(directory)
    if directory.exists():
        problems = find_problems(directory, made_from)
        if not problems:
            return []
        for file, problem in problems.items():
            warn(f"{directory / file}: {problem}; it is made again")
        shutil.rmtree(partial, ignore_errors=True)
        rename(directory, partial)
    _prepare(partial, made_from, count)
    missing = [k for k in range(count) if not (partial / f"{stem_of(k)}.json").exists()]
    if not missing:
        _publish(directory, count, made_from)
    return missing


def _check_made_from(directory: pathlib.Path, made_from: dict[str, Any], workers: Workers) -> None:
    """Check that this worker would make the set from what the chief makes it from."""
    if workers.is_chief:
        return
    file = partial_of(directory) / MANIFEST
    _wait_for(file, workers)
    if (read_json(file) or {}).get("made_from") != json.loads(json.dumps(made_from)):
        raise ShardError(
            f"{workers.name} has other images or settings for {directory} than the chief; all"
            " workers need the same images at the same paths"
        )


def _publish(
    directory: pathlib.Path, count: int, made_from: dict[str, Any], verify: bool = False
) -> None:
    """Publish a set whose shards are all there, after a look at those that others wrote."""
    partial = partial_of(directory)
    for stem in map(stem_of, range(count)) if verify else ():
        problem, until = find_problem(partial, stem), time.monotonic() + SEEN_WITHIN
        while problem and time.monotonic() < until:
            time.sleep(1)
            problem = find_problem(partial, stem)
        if problem:
            raise ShardError(
                f"{partial / stem}.tfrecord: {problem}, though another process has written it. All"
                " of them need the same directory. Run the command again."
            )
    _write_manifest(partial, made_from, count)
    publish(partial, directory)


def _wait_for(path: pathlib.Path, workers: Workers) -> None:
    """Wait until a file that the chief has written is seen here, too."""
    until = time.monotonic() + SEEN_WITHIN
    while not path.exists():
        if time.monotonic() > until:
            raise ShardError(
                f"{workers.name} does not see {path}, which the chief has written; all workers need"
                " the same directory"
            )
        time.sleep(0.2)


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


def _prepare(partial: pathlib.Path, made_from: dict[str, Any], count: int) -> None:
    """Leave nothing in ``partial`` but a manifest and whole shards made from ``made_from``.

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
