"""The photographs that an export is calibrated and measured on: crops of the run's own, or of those inside scikit-image."""

import pathlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from rts_tf.data.datasets import SAMPLE_TRAIN, SAMPLE_VALIDATION, sample
from rts_tf.data.shards import find_problems, open_set
from rts_tf.errors import RtsError

CALIBRATION = 32, 128  # crops, and their side in pixels
VALIDATION = 45, 256


class CalibrationCrops(NamedTuple):
    """Crops, uint8 [H, W, 3], square where the photograph allows it."""

    calibration: list[np.ndarray]
    validation: list[np.ndarray]
    origin: str


def crops_of_run(run: pathlib.Path) -> CalibrationCrops:
    """Crops of the training and of the validation photographs of a run. Raises RtsError if they are not there, or damaged."""
    sets, summary = [], run / "summary.json"
    others = (
        f"to take those inside scikit-image, name the network itself: --model={run / 'final.keras'}"
    )
    for name, (count, side) in {"training": CALIBRATION, "validation": VALIDATION}.items():
        directory = run / "source" / name
        if not (directory / "manifest.json").exists():
            raise RtsError(
                f"{directory}: is not there, and with it the photographs to calibrate on; {others}"
            )
        for file, problem in find_problems(directory).items():
            again = (
                f"delete {summary} and " if summary.exists() else ""
            )  # which ends the run: nothing is looked at any more
            again += "run the training command again, which makes it again"
            raise RtsError(f"{directory / file}: {problem}; {again}; or {others}")
        sets.append(_crops(_pictures(directory), count, side))
    return CalibrationCrops(*sets, "crops of the run's own photographs")


def sample_crops() -> CalibrationCrops:
    """Crops of the photographs inside scikit-image."""
    sets = []
    for names, (count, side) in ((SAMPLE_TRAIN, CALIBRATION), (SAMPLE_VALIDATION, VALIDATION)):
        photos = sample(names)
        sets.append(_crops((photos.read(name) for name in names), count, side))
    return CalibrationCrops(*sets, "crops of the photographs inside scikit-image")


def mosaic(crops: list[np.ndarray], height: int, width: int) -> np.ndarray:
    """uint8 [height, width, 3] laid out of the middles of ``crops``, one after the other, all as large as the smallest."""
    side = min(min(crop.shape[:2]) for crop in crops)
    rows, columns = -(-height // side), -(-width // side)
    frame = np.empty((rows * side, columns * side, 3), np.uint8)
    for i in range(rows * columns):
        crop = crops[i % len(crops)]
        top, left = ((size - side) // 2 for size in crop.shape[:2])
        row, column = side * (i // columns), side * (i % columns)
        frame[row : row + side, column : column + side] = crop[top : top + side, left : left + side]
    return np.ascontiguousarray(frame[:height, :width])


def _pictures(directory: pathlib.Path) -> Iterator[np.ndarray]:
    shards = open_set(directory)
    for k in range(len(shards.shards)):
        for record in shards.records(k, {"hr": np.uint8}):
            yield record.arrays["hr"]


def _crops(pictures: Iterator[np.ndarray], count: int, side: int) -> list[np.ndarray]:
    """``count`` crops at random places, as many of each picture as of the others; the same at every call."""
    pictures, random, crops = list(pictures), np.random.default_rng(0), []
    for i in range(count):
        picture = pictures[i % len(pictures)]
        top, left = (int(random.integers(max(1, size - side + 1))) for size in picture.shape[:2])
        crops.append(picture[top : top + side, left : left + side])
    return crops
