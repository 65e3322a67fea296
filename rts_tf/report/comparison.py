"""The page of ``--compare``: a before/after slider for each picture, one file that works from ``file://``."""

import os
import threading
from html import escape

import cv2
import numpy as np

from rts_tf.errors import printable
from rts_tf.images.image_file import ImageFile
from rts_tf.report.slider import page, slider
from rts_tf.storage import write_text

MOST_PICTURES = 24  # on the page
SHOWN = (
    1024,
    1024,
)  # most rows and columns of the original that are shown; with scale 2 twice as many of the result


class Comparison:
    """Collects pictures, as HTML, and writes the page. May be added to by several threads."""

    def __init__(self, path: str | os.PathLike, how: str):
        """``how``: what made them, in words for the page."""
        self.path, self.how = path, how
        self._sections: dict[str, str] = {}
        self._left_out = 0
        self._lock = threading.Lock()

    def add(self, name: str, before: ImageFile, after: ImageFile) -> None:
        """A picture and its enhancement, of the same or of twice the size; of large ones the middle is shown."""
        with self._lock:
            if len(self._sections) == MOST_PICTURES:
                self._left_out += 1
                return
            self._sections[name] = ""  # its place
        height, width, _ = before.pixels.shape
        scale = after.pixels.shape[0] // height
        rows, columns = (
            slice((n - min(n, most)) // 2, (n + min(n, most)) // 2)
            for n, most in zip((height, width), SHOWN)
        )
        shown, better = _crop(before, rows, columns, 1), _crop(after, rows, columns, scale)
        notes = []
        if shown.shape[:2] != (height, width):
            notes.append(
                f"The middle {shown.shape[1]} × {shown.shape[0]} of {width} × {height} pixels."
            )
        if scale > 1:
            notes.append("The original is enlarged by bicubic interpolation.")
            shown = cv2.resize(shown, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        title = escape(printable(name))
        icc = before.icc if before.pixels.shape[2] == 3 else b""  # what is shown is RGB
        html = slider(
            shown,
            better,
            ("original", "enhanced"),
            (f"{name}, the original", f"{name}, enhanced"),
            icc,
        )
        note = f'<p class="quiet">{" ".join(notes)}</p>\n' if notes else ""
        self._sections[name] = f"<section>\n<h2>{title}</h2>\n{note}{html}\n</section>"

    def write(self) -> bool:
        """Write the page, sorted by name; False, and nothing written, if there is no picture. Raises OSError."""
        if not self._sections:
            return False
        summary = escape(self.how)
        if self._left_out:
            summary += f" Here are {len(self._sections)} of {len(self._sections) + self._left_out} pictures."
        sections = "\n\n".join(self._sections[name] for name in sorted(self._sections))
        html = page("comparison.html.template", summary=summary, sections=sections)
        write_text(self.path, html.encode(errors="replace").decode())
        return True


def _crop(photograph: ImageFile, rows: slice, columns: slice, scale: int) -> np.ndarray:
    window = (
        slice(scale * rows.start, scale * rows.stop),
        slice(scale * columns.start, scale * columns.stop),
    )
    alpha = None if photograph.alpha is None else photograph.alpha[window]
    return photograph._replace(pixels=photograph.pixels[window], alpha=alpha).to_rgb8()
