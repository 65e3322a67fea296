"""Shows stills of videos, before and after, on the page of ``--compare``."""

import contextlib
import os
from collections.abc import Sequence

import numpy as np

from rts_tf.enhance.targets import Job
from rts_tf.errors import VideoError
from rts_tf.images.image_file import ImageFile
from rts_tf.report.comparison import Comparison
from rts_tf.video.stills import Still, clock_of, stills, stills_at

STILLS = 3  # of each video
# Levels by which the frames of one moment differ at most, on average. They differ by more where the
# source has several clocks, whose times are not those of the output.
_DIFFERENT = 20


def compare_videos(jobs: Sequence[Job], comparison: Comparison) -> list[str]:
    """Add stills of each video that was made.

    Returns:
        A line for each video that was made and has no stills on the page.
    """
    notes = []
    for job in jobs:
        if not job.target.exists():
            continue
        if os.path.samefile(job.source, job.target):
            notes.append(f"{job.source}: was written over, so the page has no stills of it")
        elif not _add_stills(job, comparison):
            notes.append(f"{job.source}: no frame has its like in the result, so no still is shown")
    return notes


def _add_stills(job: Job, comparison: Comparison) -> int:
    """Add the moments that the video and its result have in common; return their number."""
    count = 0
    with contextlib.suppress(VideoError):
        before = stills(job.source, STILLS)
        after = stills_at(os.fspath(job.target), [still.seconds for still in before])
        for still, other in zip(before, after):
            if other is not None and _is_same_moment(still, other):
                name = f"{job.name}, {clock_of(still.seconds)}"
                comparison.add(name, ImageFile(still.pixels), ImageFile(other.pixels))
                count += 1
    return count


def _is_same_moment(still: Still, other: Still) -> bool:
    one, two = still.pixels, other.pixels
    if one.shape != two.shape:
        return False
    return float(np.abs(one[::4, ::4].astype(int) - two[::4, ::4]).mean()) <= _DIFFERENT
