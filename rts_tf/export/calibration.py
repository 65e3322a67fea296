"""The images that an export is calibrated and measured on.

They are crops of the run's own images, or of the sample images (those inside scikit-image).
"""

import pathlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from rts_tf.data.datasets import SAMPLE_TRAIN, SAMPLE_VALIDATION, sample
from rts_tf.data.shards import find_problems, open_set
from rts_tf.errors import RtsError

CALIBRATION = 32, 128  # number of crops, and their side in pixels
VALIDATION = 45, 256


class CalibrationCrops(NamedTuple):
    """Crops, uint8 [H, W, 3], square where the image allows it."""

    calibration: list[np.ndarray]
    validation: list[np.ndarray]
    origin: str  # for the export card


def crops_of_run(run: pathlib.Path) -> CalibrationCrops:
    """Cut crops out of the training and the validation images of a run directory.

    Raises:
        RtsError: if the images are missing or damaged; the message says what to do.
    """
    sets = []
    for name, (count, side) in {"training": CALIBRATION, "validation": VALIDATION}.items():
        directory = run / "source" / name
        _check_images(directory, run)
        sets.append(_crops(_images(directory), count, side))
    return CalibrationCrops(sets[0], sets[1], "crops of the run's own images")


def sample_crops() -> CalibrationCrops:
    """Cut crops out of the sample images."""
    sets = []
    for names, (count, side) in ((SAMPLE_TRAIN, CALIBRATION), (SAMPLE_VALIDATION, VALIDATION)):
        images = sample(names)
        sets.append(_crops((images.read(name) for name in names), count, side))
    return CalibrationCrops(sets[0], sets[1], "crops of the images inside scikit-image")


def mosaic(crops: list[np.ndarray], height: int, width: int) -> np.ndarray:
    """Lay out a frame, uint8 [height, width, 3], of the middles of ``crops`` in turn.

    All middles are squares of the shortest side of any crop.
    """
    side = min(min(crop.shape[:2]) for crop in crops)
    rows, columns = -(-height // side), -(-width // side)
    frame = np.empty((rows * side, columns * side, 3), np.uint8)
    for i in range(rows * columns):
        crop = crops[i % len(crops)]
        top, left = ((size - side) // 2 for size in crop.shape[:2])
        row, column = side * (i // columns), side * (i % columns)
        frame[row : row + side, column : column + side] = crop[top : top + side, left : left + side]
    return np.ascontiguousarray(frame[:height, :width])


def _check_images(directory: pathlib.Path, run: pathlib.Path) -> None:
    """Raise RtsError if the shards in ``directory`` are missing or damaged."""
    others = (
        f"to take those inside scikit-image, name the network itself: `model`={run / 'final.keras'}"
    )
    if not (directory / "manifest.json").exists():
        raise RtsError(
            f"{directory}: is not there, and with it the images to calibrate on; {others}"
        )
    summary = run / "summary.json"  # it ends the run: training again would not check the shards
    again = f"delete {summary} and " if summary.exists() else ""
    again += "run the training command again, which makes the file again"
    for file, problem in find_problems(directory).items():
        raise RtsError(f"{directory / file}: {problem}; {again}; or {others}")


def _images(directory: pathlib.Path) -> Iterator[np.ndarray]:
    shards = open_set(directory)
    for k in range(len(shards.shards)):
        for record in shards.records(k, {"hr": np.uint8}):
            yield record.arrays["hr"]


def _crops(images: Iterable[np.ndarray], count: int, side: int) -> list[np.ndarray]:
    """Cut ``count`` crops at random positions, the same ones at every call.

    Each image gives as many as the others.
    """
    images, random, crops = list(images), np.random.default_rng(0), []
    for i in range(count):
        image = images[i % len(images)]
        top, left = (int(random.integers(max(1, size - side + 1))) for size in image.shape[:2])
        crops.append(image[top : top + side, left : left + side])
    return crops
