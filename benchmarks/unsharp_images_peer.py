"""OpenCV's filter2D as an unsharp mask, alone and between reading and writing files.

It is a peer of benchmarks.enhance and runs in a process of its own, see
:mod:`benchmarks.peer_process`.
"""

import pathlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from benchmarks.folders import folder_through


def open_peer(arguments: dict[str, Any]) -> dict[str, Callable[[], None]]:
    """Prepare the mask.

    Args:
        arguments: ``root``, a directory with the folder jpg and the file images.npz.

    Returns:
        ``jpg``, which reads, sharpens and writes the folder, and ``pixels``, which sharpens the
        arrays.
    """
    root = pathlib.Path(arguments["root"])
    images = list(np.load(root / "images.npz").values())

    def masked(pixels: np.ndarray, on_pixels: Callable[[int], None]) -> np.ndarray:
        return unsharp(pixels)

    def pixels() -> None:
        for image in images:
            unsharp(image)

    return {"jpg": folder_through(root, "jpg", masked, "sharpened"), "pixels": pixels}


def unsharp(image: np.ndarray) -> np.ndarray:
    """x + 1.0 * (x - mean of 5x5), the default of FFmpeg's ``unsharp``, on all three channels."""
    kernel = np.full((5, 5), -1 / 25, np.float32)
    kernel[2, 2] += 2
    return cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT)
