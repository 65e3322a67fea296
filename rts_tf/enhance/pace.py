"""Tells early how long many images will take, and whether the disk has room for them."""

import collections
import os
import pathlib
import shutil
import time
from collections.abc import Sequence

from rts_tf.enhance.amounts import HOW_TO_STOP, about, size
from rts_tf.enhance.targets import Job
from rts_tf.errors import RtsError

LEAST = 60.0  # seconds. Less is not worth a line
_ENOUGH = 2.0  # megapixels that tell the speed
# What images have at least of the bytes of their sources, which are rarely stored less densely
_SHARE = 0.4


class Pace:
    """Measures the speed of the first images. The very first one prepares the network."""

    def __init__(self, megapixels: float, images: int):
        """``megapixels``: Of all images, of which there are ``images``."""
        self._left, self._images = megapixels, images
        self._measured = 0.0
        self._start: float | None = None
        self._said = False

    def line_after(self, megapixels: float) -> str:
        """The line to show after an image of ``megapixels``; empty if there is nothing to say."""
        self._left -= megapixels
        now = time.monotonic()
        if self._start is None:
            self._start = now
            return ""
        self._measured += megapixels
        if self._said or self._measured < _ENOUGH:
            return ""
        self._said = True
        seconds = self._left * (now - self._start) / self._measured
        if seconds < LEAST:
            return ""
        return f"{self._images} images: about {about(seconds)} more; {HOW_TO_STOP}"


def check_room(jobs: Sequence[Job]) -> None:
    """Check that the disks to be written on evidently have room.

    Raises:
        RtsError: One has not.
    """
    needed: dict[pathlib.Path, float] = collections.defaultdict(float)
    for job in jobs:
        if os.path.isfile(job.source):
            needed[_existing(job.target.parent)] += _SHARE * os.path.getsize(job.source)
    for folder, count in needed.items():
        if (free := shutil.disk_usage(folder).free) < count:
            raise RtsError(
                f"{folder}: {len(jobs)} images need at least {size(count)} of this disk, and"
                f" {size(free)} are free; make room, or name an `output` on another disk."
            )


def _existing(folder: pathlib.Path) -> pathlib.Path:
    """``folder``, or what of it is there."""
    return next((path for path in (folder, *folder.parents) if path.is_dir()), pathlib.Path("."))
