"""Shows stills of videos, before and after, on the page of ``--compare``."""

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


def compare_videos(jobs: Sequence[Job], comparison: Comparison) -> None:
    """Add stills of each video that was made.

    A video that was written over its source has nothing to be compared with, and is left out.
    """
    for job in jobs:
        if not job.target.exists() or os.path.samefile(job.source, job.target):
            continue
        try:
            before = stills(job.source, STILLS)
            after = stills_at(os.fspath(job.target), [still.seconds for still in before])
        except VideoError:
            continue
        for still, other in zip(before, after):
            if other is not None and _is_same_moment(still, other):
                name = f"{job.name}, {clock_of(still.seconds)}"
                comparison.add(name, ImageFile(still.pixels), ImageFile(other.pixels))


def _is_same_moment(still: Still, other: Still) -> bool:
    one, two = still.pixels, other.pixels
    if one.shape != two.shape:
        return False
    return float(np.abs(one[::4, ::4].astype(int) - two[::4, ::4]).mean()) <= _DIFFERENT
