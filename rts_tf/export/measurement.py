"""A file of the export as it was measured: what ran on which frame, and its entry of the card."""

import dataclasses
import pathlib
from typing import Any

import keras
import numpy as np

from rts_tf.export import card, limits
from rts_tf.export.heads import receptive_radius
from rts_tf.export.publication import sha256
from rts_tf.export.runners.process import Run


@dataclasses.dataclass(frozen=True)
class Frame:
    """A frame that files are measured on.

    Attributes:
        pixels: uint8 [H, W, 3], the input.
        expected: float32, the output of the Keras network, as large as that of the file.
        plain: float32 of the same size, the frame without enhancement (``limits.compare``).
    """

    pixels: np.ndarray
    expected: np.ndarray
    plain: np.ndarray


@dataclasses.dataclass(frozen=True)
class MeasuredFile:
    """A file that ran on a frame.

    Attributes:
        kind: its precision, or "saved_model".
        head: "enhance" or "upscale".
        path: where it is now, a file or the directory of a SavedModel.
        published: its name in the directory of the export.
        operations: names of its TFLite operations; empty for a SavedModel.
        macs: MACs for a frame of ``input_size``.
        threads: number of threads that it ran with.
        input_size: height and width that it is exported for.
        frame: what it ran on, which may be smaller than that.
        run: the output, the time and the memory.
    """

    kind: str
    head: str
    path: pathlib.Path
    published: str
    operations: list[str]
    macs: int
    threads: int
    input_size: tuple[int, int]
    frame: Frame
    run: Run

    def entry(self, network: keras.Model) -> dict[str, Any]:
        """Return the entry of the export card."""
        height, width, _ = self.frame.pixels.shape
        area = self.input_size[0] * self.input_size[1] / (height * width)
        expected = self.frame.expected
        if self.kind == "saved_model":  # its output is levels
            expected = np.rint(255 * np.clip(expected, 0, 1)) / np.float32(255)
        return {
            "file": self.published,
            "kind": self.kind,
            "signature": self.head,
            **card.shapes(self.kind, self.head, *self.input_size),
            "bytes": _size(self.path),
            "sha256": sha256(self.path),
            "operations": self.operations,
            "macs": self.macs,
            "receptive_radius": receptive_radius(network, self.head),
            **limits.compare(self.run.output, expected, self.frame.plain),
            "milliseconds": self.run.milliseconds * area,
            "peak_memory_mb": self.run.peak_memory_mb * area,
            "measured_at": f"{width}x{height}" + (", scaled by area" if area != 1 else ""),
            "threads": self.threads,
        }


def _size(path: pathlib.Path) -> int:
    """Return the bytes of a file, or of everything in a directory."""
    return sum(file.stat().st_size for file in (path.rglob("*") if path.is_dir() else [path]))
