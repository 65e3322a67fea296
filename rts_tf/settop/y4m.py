"""Reads the headers of YUV4MPEG2 (.y4m), the raw video that says its size itself."""

import re
from typing import NamedTuple

from .errors import SettopError
from .streams import Stream

MAGIC = b"YUV4MPEG2 "
FRAME = b"FRAME"  # begins the line in front of every frame
LONGEST = 4096  # bytes of a line, with its end
# What is read, by the parameter C; without it the first is meant.
KINDS = {
    "420jpeg": "yuv420p",
    "420mpeg2": "yuv420p",
    "420paldv": "yuv420p",
    "420": "yuv420p",
    "422": "yuv422p",
    "444": "yuv444p",
    "mono": "gray",
}


class Header(NamedTuple):
    """The first line of a stream.

    Attributes:
        line: its bytes, with the end.
        kind: of the frames, as :class:`Stream` names it.
        height: in pixels.
        width: likewise.
        full: whether the stream says that its range is full.
    """

    line: bytes
    kind: str
    height: int
    width: int
    full: bool = False

    def stream(self, matrix: str) -> Stream:
        """Return the kind and size of the frames, with a matrix for RGB."""
        return Stream(self.kind, self.height, self.width, matrix)

    def scaled(self, scale: int) -> bytes:
        """Return the line for frames ``scale`` times as high and wide. All else stays as it is."""
        if scale == 1:
            return self.line
        sides = {b"W": self.width, b"H": self.height}
        return re.sub(
            rb"(?<= )([WH])\d+(?=[ \n])",
            lambda found: found[1] + str(scale * sides[found[1]]).encode(),
            self.line,
        )


def parsed(line: bytes, name: str) -> Header:
    """Parse the first line of a stream.

    Args:
        line: with its end.
        name: of the stream, for messages.

    Raises:
        SettopError: if it is damaged, or the frames are none that a network takes.
    """
    found: dict[str, str] = {}
    if line.startswith(MAGIC) and line.endswith(b"\n"):
        tokens = line[len(MAGIC) : -1].decode("latin-1").split(" ")
        full = "XCOLORRANGE=FULL" in tokens
        found = {token[0]: token[1:] for token in tokens if token and token[0] != "X"}
    sides = [found.get(letter, "") for letter in "HW"]
    if not all(re.fullmatch("0*[1-9][0-9]{0,4}", side) for side in sides):
        start = line[:60].decode("latin-1").rstrip("\n")
        raise SettopError(f"{name}: its YUV4MPEG2 header has no size W... H... ({start!r})")
    if found.get("I", "p") not in ("p", "?"):
        raise SettopError(
            f"{name}: is interlaced (I{found['I']}), and frames are needed; put ffmpeg's filter"
            " bwdif in front (-vf bwdif)"
        )
    height, width = map(int, sides)
    return Header(line, _kind(found.get("C", next(iter(KINDS))), name), height, width, full)


def _kind(colours: str, name: str) -> str:
    """Return the kind of frames that the parameter C names."""
    if colours in KINDS:
        return KINDS[colours]
    reason = f"is none of {', '.join('C' + known for known in KINDS)}"
    if re.fullmatch(r"\d+p\d+|mono\d+", colours):
        reason = "has more than 8 bits a sample"
    raise SettopError(f"{name}: C{colours} {reason}; let ffmpeg convert it (-pix_fmt yuv420p)")
