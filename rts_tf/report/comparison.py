"""The page of ``--compare``: a before/after slider for each image, in one HTML file."""

import os
import threading

import cv2
import numpy as np

from rts_tf.errors import printable
from rts_tf.images.image_file import ImageFile
from rts_tf.report.slider import slider
from rts_tf.report.templates import page, text
from rts_tf.storage import write_text

MOST_IMAGES = 24  # on the page
# The most rows and columns of an original that are shown
SHOWN = (1024, 1024)


class Comparison:
    """Collects images as HTML and writes the page. Several threads may add images.

    Attributes:
        path: The HTML file.
        how: How the images were enhanced, a sentence for the page.
    """

    def __init__(self, path: str | os.PathLike, how: str):
        self.path, self.how = path, how
        self._sections: dict[str, str] = {}
        self._left_out = 0
        self._lock = threading.Lock()

    def add(self, name: str, before: ImageFile, after: ImageFile) -> None:
        """Add an image. If it is large, the page shows its middle.

        Args:
            name: The name of the image, which is its heading.
            before: The original.
            after: The enhanced image, of the same size or twice as large.
        """
        with self._lock:
            if len(self._sections) == MOST_IMAGES:
                self._left_out += 1
                return
            self._sections[name] = ""  # keeps its place on the page
        self._sections[name] = _section(name, before, after)

    def write(self) -> bool:
        """Write the page, with the images sorted by name.

        Returns:
            False if there are no images; then nothing is written.

        Raises:
            OSError: The page cannot be written.
        """
        if not self._sections:
            return False
        summary, shown = text(self.how), len(self._sections)
        if self._left_out:
            summary += f" This page shows {shown} of {shown + self._left_out} images."
        sections = "\n\n".join(self._sections[name] for name in sorted(self._sections))
        html = page("comparison.html.template", summary=summary, sections=sections)
        write_text(self.path, html.encode(errors="replace").decode())
        return True


def _section(name: str, before: ImageFile, after: ImageFile) -> str:
    """The HTML of one image."""
    height, width, channels = before.pixels.shape
    scale = after.pixels.shape[0] // height
    rows, columns = (_middle(size, most) for size, most in zip((height, width), SHOWN))
    original, enhanced = _crop(before, rows, columns, 1), _crop(after, rows, columns, scale)
    notes = []
    if original.shape[:2] != (height, width):
        shown = f"{original.shape[1]} × {original.shape[0]}"
        notes.append(f"The middle {shown} of {width} × {height} pixels.")
    if scale > 1:
        notes.append("The original is enlarged by bicubic interpolation.")
        original = cv2.resize(original, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    name = printable(name)
    texts = f"{name}, the original", f"{name}, enhanced"
    icc = before.icc if channels == 3 else b""  # the page shows RGB
    html = slider(original, enhanced, ("original", "enhanced"), texts, icc)
    note = f'<p class="quiet">{" ".join(notes)}</p>\n' if notes else ""
    return f"<section>\n<h2>{text(name)}</h2>\n{note}{html}\n</section>"


def _middle(size: int, most: int) -> slice:
    """The middle ``most`` of ``size`` rows or columns, or all of them if there are fewer."""
    shown = min(size, most)
    return slice((size - shown) // 2, (size + shown) // 2)


def _crop(image: ImageFile, rows: slice, columns: slice, scale: int) -> np.ndarray:
    """A window of an image as uint8 [H, W, 3]. The window is given at 1/``scale`` of its size."""
    window = tuple(slice(scale * part.start, scale * part.stop) for part in (rows, columns))
    alpha = None if image.alpha is None else image.alpha[window]
    return image._replace(pixels=image.pixels[window], alpha=alpha).to_rgb8()
