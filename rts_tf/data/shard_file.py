"""One TFRecord shard that is being written (:mod:`rts_tf.data.shard_writer`)."""

import contextlib
import pathlib
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from rts_tf.data.shards import Record, serialize, size_of, stem_of
from rts_tf.errors import ShardError, first_line
from rts_tf.storage import publish, sha256_of_file, temporary_name, write_json


class ShardFile:
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
        self.path = partial / f"{stem}.tfrecord"
        # A worker that was thought lost may write the same shard once more.
        self.temporary = partial / temporary_name(stem)
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
            write_json(self.path.with_suffix(".json"), contents, sealed=True)
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
