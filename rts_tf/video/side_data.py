"""What frames carry beside their samples: what encoders keep of it, and what is left out.

Captions, timecodes and the like are data of a frame. FFmpeg's encoders take few kinds of them.
"""

from collections import Counter
from typing import Any

import av
from av.filter import Graph

from rts_tf.video.filters import filter_graph

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
# The texts in which x264 and x265 say which settings they had begin with these.
_OF_ENCODERS = tuple(
    bytes.fromhex(uuid)
    for uuid in ("dc45e9bde6d948b7962cd820d923eeef", "2ca2de09b51747dbbb55a4fe7fc2fc4e")
)
_CORNER = 16  # samples a side


class SideData:
    """Looks at the side data of all frames of a video, and counts what is left out."""

    def __init__(self, codec: str = ""):
        """Prepare for a video that is encoded with ``codec``; "" keeps and counts nothing."""
        self._written = WRITTEN_BY.get(codec, set())
        self._codec = codec
        self._left_out: Counter[str] = Counter()
        self._corners: Graph | None = None

    def kept_of(self, frame: av.VideoFrame) -> bool:
        """Whether a frame has side data that its encoder writes. Call this once for each frame."""
        if not self._codec:
            return False
        found = types_of(self._corner_of(frame))
        self._left_out.update(found - self._written)
        return bool(found & self._written)

    def _corner_of(self, frame: av.VideoFrame) -> av.VideoFrame:
        """A copy of a few samples of ``frame``, with its side data.

        PyAV ties a frame that was asked for its side data to them, so that only the collector of
        garbage frees both, which is too late for large frames.
        """
        if self._corners is None:
            size = {"w": f"min({_CORNER},iw)", "h": f"min({_CORNER},ih)", "exact": "1"}
            self._corners = filter_graph(frame, ("crop", size), ("copy", {}))
        self._corners.push(frame)
        return self._corners.vpull()

    def lines(self) -> list[str]:
        """A line for each kind of which something was left out."""
        lines = []
        for kind, count in sorted(self._left_out.items()):
            frames = f"{count} frame{'s' if count > 1 else ''}"
            verb = "was" if _WORDS[kind].startswith("the ") else "were"
            lines.append(
                f"{_WORDS[kind]} of {frames} {verb} left out, since the encoder of {self._codec}"
                " takes none"
            )
        return lines


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
