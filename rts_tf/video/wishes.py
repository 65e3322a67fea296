"""What a user may wish for the streams beside a video. Needs no FFmpeg."""

from typing import NamedTuple

AUTO, COPY, CONVERT, NONE = "auto", "copy", "convert", "none"
AUDIO_ENCODERS = {"aac": "aac", "opus": "libopus"}  # FFmpeg's names
AUDIO_WISHES = (AUTO, COPY, *AUDIO_ENCODERS, NONE)
SUBTITLE_WISHES = (AUTO, COPY, CONVERT, NONE)


class Wishes(NamedTuple):
    """What the user chose.

    Attributes:
        audio: One of ``AUDIO_WISHES``.
        subtitles: One of ``SUBTITLE_WISHES``.
    """

    audio: str = AUTO
    subtitles: str = AUTO
