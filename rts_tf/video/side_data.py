"""What frames carry beside their samples: what encoders keep of it, and what is left out.

Captions, timecodes and the like are data of a frame. FFmpeg's encoders take few kinds of them.
"""

from collections import Counter
from typing import Any

import av

# FFmpeg's types that each encoder writes again. The static HDR metadata are options of encoders.
WRITTEN_BY = {"h264": {"A53_CC", "SEI_UNREGISTERED"}, "hevc": {"A53_CC", "SEI_UNREGISTERED"}}
# What a player or an editor may need. The other kinds serve to decode the source.
_WORDS = {
    "A53_CC": "closed captions",
    "AFD": "the active part of the frame (AFD)",
    "S12M_TIMECODE": "timecodes",
    "DOVI_RPU_BUFFER": "Dolby Vision metadata",
    "DYNAMIC_HDR_PLUS": "HDR10+ metadata",
    "DYNAMIC_HDR_VIVID": "HDR Vivid metadata",
    "AMBIENT_VIEWING_ENVIRONMENT": "the ambient light of HDR",
    "SEI_UNREGISTERED": "data of an application (SEI)",
    "STEREO3D": "the arrangement of stereo views",
    "SPHERICAL": "the projection of a spherical video",
    "ICC_PROFILE": "the ICC profile",
    "OTHER": "data of a kind that PyAV does not know, such as EXIF,",
}
_ONE = {kind for kind, words in _WORDS.items() if words.startswith("the ")}
# The texts in which x264 and x265 say which settings they had begin with these.
_OF_ENCODERS = tuple(
    bytes.fromhex(uuid)
    for uuid in ("dc45e9bde6d948b7962cd820d923eeef", "2ca2de09b51747dbbb55a4fe7fc2fc4e")
)


class SideData:
    """Looks at the side data of all frames of a video, and counts what is left out."""

    def __init__(self, codec: str = ""):
        """Prepare for a video that is encoded with ``codec``; "" keeps and counts nothing."""
        self._written = WRITTEN_BY.get(codec, set())
        self._codec = codec
        self._left_out: Counter[str] = Counter()

    def kept_of(self, frame: av.VideoFrame) -> bool:
        """Whether a frame has side data that its encoder writes. Call this once for each frame."""
        found = types_of(frame)
        if not found or not self._codec:
            return False
        self._left_out.update(found - self._written)
        return bool(found & self._written)

    def lines(self) -> list[str]:
        """A line for each kind of which something was left out."""
        return [
            f"{_WORDS[kind]} of {count} frames {'was' if kind in _ONE else 'were'} left"
            f" out, since the encoder of {self._codec} takes none"
            for kind, count in sorted(self._left_out.items())
        ]


def contents_of(frame: av.VideoFrame) -> list[tuple[str, bytes]]:
    """The side data of a frame: FFmpeg's name of the type, or "OTHER", and what it holds."""
    try:
        side_data: Any = frame.side_data  # PyAV's types take its items for strings
    except ValueError:  # PyAV knows no name for one of the types, and gives none of them
        return [("OTHER", b"")]
    return [(data.type.name, bytes(data)) for data in side_data] if len(side_data) else []


def types_of(frame: av.VideoFrame) -> set[str]:
    """FFmpeg's names of the side data of a frame that matter beside its samples."""
    return {
        kind
        for kind, held in contents_of(frame)
        if kind in _WORDS and not (kind == "SEI_UNREGISTERED" and held.startswith(_OF_ENCODERS))
    }
