"""The brightness and the colours of the display that HDR video was graded on, for encoders."""

import struct
from fractions import Fraction
from typing import NamedTuple

MASTERING, LIGHT = "MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"
# AVMasteringDisplayMetadata: x and y of red, green, blue and white, the least and the greatest
# luminance, all of them fractions, and whether there are colours and luminances
_MASTERING = struct.Struct("=20i2i")
_LIGHT = struct.Struct("=2I")
_OPTIONS = {
    "h264": ("x264-params", "mastering-display", "cll"),
    "hevc": ("x265-params", "master-display", "max-cll"),
    "av1": ("svtav1-params", "mastering-display", "content-light"),
}


class Hdr(NamedTuple):
    """Static HDR metadata.

    Attributes:
        display: x and y of red, green, blue and white, then the least and the greatest luminance in
            cd/m²; empty if unknown.
        light: The greatest and the average light level in cd/m²; empty if unknown.
    """

    display: tuple[Fraction, ...] = ()
    light: tuple[int, ...] = ()

    def options(self, codec: str) -> tuple[str, str] | None:
        """FFmpeg's option with which the encoder of a codec takes this, and its value.

        Args:
            codec: A key of ``rts_tf.video.encoders.ENCODERS``.

        Returns:
            None if there is nothing to say, or no such option.
        """
        if codec not in _OPTIONS or not any(self):
            return None
        option, display, light = _OPTIONS[codec]
        parts = []
        if self.display:
            parts.append(f"{display}={self._display_text(in_units=codec != 'av1')}")
        if self.light:
            parts.append(f"{light}={self.light[0]},{self.light[1]}")
        return option, ":".join(parts)

    def _display_text(self, in_units: bool) -> str:
        """The display as encoders take it: in units of .00002 and .0001, or as decimals."""
        *colours, least, greatest = self.display
        if in_units:
            numbers = [str(round(value * 50000)) for value in colours]
            levels = [str(round(value * 10000)) for value in (greatest, least)]
        else:
            numbers = [f"{float(value):.6f}" for value in colours]
            levels = [f"{float(value):.6f}" for value in (greatest, least)]
        red, green, blue, white = (",".join(numbers[i : i + 2]) for i in range(0, 8, 2))
        return f"G({green})B({blue})R({red})WP({white})L({','.join(levels)})"


def hdr_of(side_data: dict[str, bytes]) -> Hdr:
    """What the side data of a frame, by the names of FFmpeg's types, say about its display."""
    display: tuple[Fraction, ...] = ()
    if len(found := side_data.get(MASTERING, b"")) == _MASTERING.size:
        *numbers, has_colours, has_luminance = _MASTERING.unpack(found)
        pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
        if has_colours and has_luminance and all(below for _, below in pairs):
            display = tuple(Fraction(*pair) for pair in pairs)
    light: tuple[int, ...] = ()
    if len(found := side_data.get(LIGHT, b"")) == _LIGHT.size:
        light = _LIGHT.unpack(found)
    return Hdr(display, light)
