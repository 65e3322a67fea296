"""Looks at the frames of a video before any work, where what is to be done depends on them."""

import contextlib

from rts_tf.enhance import BWDIF, NONE
from rts_tf.enhance.targets import Job
from rts_tf.errors import VideoError
from rts_tf.video.alpha import any_transparent
from rts_tf.video.interlacing import Deinterlacer, first_interlaced, interlaced_from
from rts_tf.video.pixel_formats import has_alpha
from rts_tf.video.reader import VideoReader


def megapixels_of(job: Job) -> float:
    """About how many megapixels all frames of a video have; 0 where it cannot be read."""
    try:
        with VideoReader(job.source) as reader:
            return reader.info.estimate * reader.info.megapixels
    except VideoError:
        return 0.0


def deinterlacer_for(reader: VideoReader, mode: str) -> Deinterlacer | None:
    """Return what makes whole frames of a video; None if all are whole already.

    Args:
        mode: One of ``rts_tf.enhance.DEINTERLACE``.

    Raises:
        VideoError: The video has an interlaced frame, and ``mode`` is ``NONE``. Or it holds single
            fields.
    """
    fields = reader.fields()
    if fields.has_separate_fields():
        raise VideoError(
            f"{reader.path}: holds fields that are not joined to frames; join them first, with"
            " FFmpeg's filters weave and bwdif"
        )
    if not fields.may_be_interlaced() and mode != BWDIF:
        return None
    if mode != NONE:
        return Deinterlacer(every=mode == BWDIF)
    with contextlib.closing(reader.as_decoded()) as frames:
        number = first_interlaced(frames)
    if number is not None:
        raise VideoError(f"{reader.path}: {interlaced_from(number)}")
    return None


def is_transparent(reader: VideoReader) -> bool:
    """Whether any frame is transparent somewhere. Most pixel formats cannot be."""
    if not has_alpha(reader.info.source_format):
        return False
    with contextlib.closing(reader.as_decoded()) as frames:
        return any_transparent(frames)
