"""The hidden directory in which a video is made, so that a video that was stopped can go on.

It lies beside the video to write, and is removed when the video is there. These are its files:

    settings.json    what decides about every bit; with other settings the video begins anew
    machine.json     the instruction sets of the CPUs that enhanced the segments
    00000.nut ...    the enhanced frames, in segments; a segment under its own name is whole
    joined.mp4       the video, on the way to its place by one rename
"""

import json
import os
import pathlib
import shutil
from typing import Any

from rts_tf.enhance.targets import Job, root_of
from rts_tf.errors import VideoError
from rts_tf.locks import Lock, lock
from rts_tf.networks.precision import instruction_set
from rts_tf.storage import publish, read_json_or_none, write_json, write_text
from rts_tf.video.encoders import Coding
from rts_tf.video.info import VideoInfo
from rts_tf.video.join import join
from rts_tf.video.reader import VideoReader
from rts_tf.video.rehearsal import Keeping
from rts_tf.video.segments import times_of

# The name of the source in settings.json, which earlier versions called so
SOURCE_KEY = "film"


class Segments:
    """The segments of a video in its hidden directory, which is there.

    Attributes:
        root: The directory.
    """

    def __init__(self, job: Job):
        self.root = root_of(job.target)

    def segment(self, number: int) -> pathlib.Path:
        """The file of segment ``number``, from 0."""
        return self.root / f"{number:05d}.nut"

    def segments(self, info: VideoInfo, first: int = 0) -> list[pathlib.Path]:
        """The segments from ``first`` on, up to the first that is missing or damaged."""
        found: list[pathlib.Path] = []
        while times_of(self.segment(first + len(found)), info):
            found.append(self.segment(first + len(found)))
        return found


class WorkDirectory(Segments):
    """The hidden directory of a video; a context manager that keeps other processes out.

    Attributes:
        replaced: Whether a run that was killed at its very end has put the enhanced video in the
            place of its source already.
        warnings: Lines about what is not continued as it began.
    """

    def __init__(self, job: Job, record: dict[str, Any], *, locked: bool = False):
        """Continue if the directory was made with the same ``record``, else begin anew.

        Args:
            record: What decides about every bit of the video, JSON types. The digest of the source
                has the key ``SOURCE_KEY``.
            locked: Whether somebody else keeps other processes out, and removes the directory.

        Raises:
            RtsError: Another process works on the video.
            OSError: The directory cannot be made.
        """
        super().__init__(job)
        self._target = job.target
        self.warnings: list[str] = []
        self.root.mkdir(exist_ok=True)
        self._lock = None if locked else locked_directory(self.root)
        file = self.root / "settings.json"
        recorded = read_json_or_none(file)
        differing = differences(recorded, record)
        in_place = os.path.realpath(job.source) == os.path.realpath(job.target)
        # The source is the enhanced video then. Another CPU may prefer another precision.
        self.replaced = (
            in_place
            and SOURCE_KEY in differing <= {SOURCE_KEY, "precision"}
            and (self.root / "published").exists()
        )
        self._note_differences(differing)
        for leftover in self.root.iterdir():
            half_written = leftover.name.startswith((".", "trial", "joined"))
            if (half_written or differing) and leftover.name != ".lock":
                leftover.unlink()
        if differing:
            write_text(file, json.dumps(record, indent=1))
        self._note_machine()

    def __enter__(self) -> "WorkDirectory":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not self._lock:
            return
        if kind is None or issubclass(kind, VideoError) or not self.segment(0).exists():
            self._lock.remove_directory()
        self._lock.close()

    def publish(
        self, reader: VideoReader, info: VideoInfo, coding: Coding, keeping: Keeping
    ) -> list[str]:
        """Join the segments, and put the video in its place. This closes ``reader``.

        Returns:
            Lines about damage in streams beside the video.
        """
        joined = self.root / f"joined{self._target.suffix}"
        warnings = join(reader, info, self.segments(info), joined, coding, keeping)
        reader.close()  # Windows cannot replace a file that is open
        (self.root / "published").touch()
        publish(joined, self._target)
        return warnings

    def _note_differences(self, differing: set[str]) -> None:
        """Note why segments that are there are not continued."""
        if self.replaced or not self.segment(0).exists():
            return
        names = ("source" if key == SOURCE_KEY else key.replace("_", " ") for key in differing)
        if differing:
            self.warnings.append(
                f"an enhancement that was stopped had other settings ({', '.join(sorted(names))}),"
                " so it began anew"
            )

    def _note_machine(self) -> None:
        """Record the instruction set, and note if segments were made with several."""
        file, here = self.root / "machine.json", instruction_set()
        known: list[str] = []
        if self.segment(0).exists():
            known = (read_json_or_none(file) or {}).get("instruction_sets", [])
        if known[-1:] != [here]:
            known.append(here)
            write_json(file, {"instruction_sets": known})
        if len(known) > 1:
            self.warnings.append(
                f"it was continued on a CPU with other instructions ({', then '.join(known)}):"
                " frames made before and after may differ by rounding"
            )


def locked_directory(root: pathlib.Path) -> Lock:
    """Keep other processes out of a hidden directory. Raises RtsError if one works there."""
    return lock(root, "output", "enhances a video there")


def recorded_settings(target: pathlib.Path) -> dict | None:
    """The settings of a video that is half made, or None if there are no segments of it."""
    if not (root_of(target) / "00000.nut").exists():
        return None
    return settings_of(target)


def settings_of(target: pathlib.Path) -> dict | None:
    """The settings of a video that is in work, or None if there are none."""
    return read_json_or_none(root_of(target) / "settings.json")


def differences(recorded: dict | None, record: dict[str, Any]) -> set[str]:
    """The keys with different values. All keys of ``record`` if nothing was recorded.

    What keeps x264 to instructions that every CPU has is no difference: only CPUs with AVX-512 need
    it, and the output is the same.
    """
    one, two = _comparable(recorded or {}), _comparable(json.loads(json.dumps(record)))
    return {key for key in one.keys() | two.keys() if one.get(key) != two.get(key)}


def _comparable(settings: dict[str, Any]) -> dict[str, Any]:
    codec = settings.get("codec")
    if not isinstance(codec, list):
        return settings
    return settings | {"codec": [item for item in codec if item != ["x264-params", "asm=AVX2"]]}


def clear(target: pathlib.Path) -> None:
    """Remove what a run that was killed at its very end left beside the finished video."""
    if (root_of(target) / "published").exists():
        shutil.rmtree(root_of(target), ignore_errors=True)
