"""The limits on images and videos: what no file of a user meets, and a hostile one does.

A file of a few kilobytes can ask for terabytes of memory, or for years. So every reader compares
what a file announces with these limits before it decodes anything. ``--limits=off``, or the
environment variable ``RTS_LIMITS=off``, lifts all of them, also in the processes that a command
starts.
"""

import os
from typing import NamedTuple

IMAGE_PIXELS = 500_000_000  # panoramas stay below; Pillow's own limit, 89 million, does not
LEARNED_PIXELS = 89_478_485  # of an image for training or metrics: Pillow's own limit
IMAGE_BYTES = 4 * 2**30  # of a file; 500 million pixels of 16 bits without compression have 3 GB
METADATA_BYTES = 64 * 2**20  # of all texts and profiles in an image, after decompression

VIDEO_PIXELS = 2**27  # of a frame: 16384 x 8192
VIDEO_STREAMS = 200  # discs have up to 32 languages of sound and 32 of subtitles
VIDEO_HOURS = 24 * 7
VIDEO_PACKETS = 60_000_000  # of all streams: a week at 60 frames a second has 36 million of video
ANIMATION_PIXELS = 2**35  # of all frames of an animated WebP: five minutes of 3840 x 2160
VIDEO_BYTES = 2**43  # of a file, 9 TB

_VARIABLE = "RTS_LIMITS"
_ADVICE = "lift the limits with `limits`=off"


class Limit(NamedTuple):
    """One of the limits.

    Attributes:
        most: The largest number that is allowed.
        text: The same in words, e.g. "500 million pixels".
    """

    most: float
    text: str

    def exceeded_by(self, number: float) -> bool:
        """Whether ``number`` is beyond the limit, and limits are not lifted."""
        return number > self.most and not are_lifted()

    @property
    def reason(self) -> str:
        """What an error message says about a file that is beyond the limit."""
        return f"has more than {self.text}, the limit; {_ADVICE} if you trust it"


def are_lifted() -> bool:
    """Whether the limits are lifted in this process."""
    return os.environ.get(_VARIABLE) == "off"


def lift() -> None:
    """Lift all limits, in this process and in those that it starts from now on."""
    os.environ[_VARIABLE] = "off"


def set_again() -> None:
    """Set all limits again after :func:`lift`."""
    os.environ.pop(_VARIABLE, None)


def lifting_advice(pixels: int) -> str:
    """The end of the message about an image of more than ``pixels``, if that is one of the limits.

    Other limits, such as that of a server, cannot be lifted here.
    """
    return f", or {_ADVICE}" if pixels in (IMAGE_PIXELS, LEARNED_PIXELS) else ""


def allowed_pixels(most: int) -> int:
    """``most``, or more than any image has if it is one of the limits and these are lifted."""
    return 2**62 if are_lifted() and lifting_advice(most) else most


FILE_OF_IMAGE = Limit(IMAGE_BYTES, "4 GiB")
METADATA = Limit(METADATA_BYTES, "64 MiB of texts and profiles")
FRAME = Limit(VIDEO_PIXELS, "134 million pixels in a frame")
STREAMS = Limit(VIDEO_STREAMS, "200 streams")
SECONDS = Limit(VIDEO_HOURS * 3600, "168 hours")
ANIMATION = Limit(ANIMATION_PIXELS, "34 billion pixels in all frames")
PACKETS = Limit(VIDEO_PACKETS, "60 million packets")
FILE_OF_VIDEO = Limit(VIDEO_BYTES, "8 TiB")
