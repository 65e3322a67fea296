"""The images that ``rts viqet`` measures, and how, in this process or in those of Beam."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from rts_tf.cli.measuring import alone, errors_name, failure, measured
from rts_tf.data.datasets import counterpart, folder
from rts_tf.errors import ConfigError, ImageError
from rts_tf.images.dtypes import to_float
from rts_tf.images.rgb import read_image
from rts_tf.metrics.baseline import compare_with_unsharp, unsharp_scores
from rts_tf.metrics.viqet import Quality, measure
from rts_tf.metrics.viqet.features import extract
from rts_tf.metrics.viqet.measures import quality


class Image(NamedTuple):
    """An image to measure, not yet read.

    Attributes:
        file: Its path.
        read: Returns uint8 [H, W, 3], or raises ImageError.
        original: The file of its original, or "" if it is not measured against one.
    """

    file: str
    read: Callable[[], np.ndarray]
    original: str = ""


class Measured(NamedTuple):
    """The metrics of an image.

    Attributes:
        file: Its path.
        quality: VIQET's measures.
        contours: How many pixels of contours the MOS rests on.
        cost: The comparison with the original (:mod:`rts_tf.metrics.baseline`), if there is one.
    """

    file: str
    quality: Quality
    contours: int
    cost: dict[str, float]


def find_images(
    arguments: Sequence[str], against: str = ""
) -> tuple[list[Image], list[str], list[str]]:
    """Find every image that is named, or lies in a folder that is named.

    Args:
        arguments: Files and folders.
        against: The original, or the folder of the originals; "" if there are none. The originals
            of a folder's images have the same relative names.

    Returns:
        The images, the errors of folders without images, and a line for each folder that holds
        other files too.
    """
    images, errors, lines = [], [], []
    for argument in arguments:
        if not os.path.isdir(argument):
            original = _original(against, os.path.basename(argument))
            images.append(Image(argument, partial(read_image, argument), original))
            continue
        try:
            source = folder(argument, "")
        except ConfigError as error:
            errors.append(str(error))
            continue
        lines += [source.passed_over] if source.passed_over else []
        for name in source.names:
            file = os.path.join(argument, name)
            images.append(Image(file, partial(source.read, name), _original(against, name)))
    return images, errors, lines


def _original(against: str, name: str) -> str:
    return counterpart(against, name) if os.path.isdir(against) else against


def measure_image(image: Image, category: str) -> Measured:
    """Measure an image, and against its original if it has one.

    Raises:
        ImageError: The image or its original cannot be read or measured.
    """
    pixels = image.read()
    original = read_image(image.original) if image.original else None
    if original is not None and original.shape != pixels.shape:
        sizes = " and ".join(f"{array.shape[1]}x{array.shape[0]}" for array in (pixels, original))
        raise ImageError(
            f"{image.file}: it and its original {image.original} are not of one size ({sizes})"
        )
    with errors_name(image.file):
        features = extract(pixels)
        found = quality(features, pixels.shape[0] * pixels.shape[1] / 1e6, category)
        cost = {} if original is None else _cost(pixels, original, found.mos_raw)
    return Measured(image.file, found, features.edges.length, cost)


def _cost(pixels: np.ndarray, original: np.ndarray, mos_raw: float) -> dict[str, float]:
    scores = unsharp_scores(to_float(original), measure(original).mos_raw)
    return compare_with_unsharp(to_float(pixels), to_float(original), mos_raw, scores)


class ViqetWork:
    """Measures images in worker processes; see :class:`rts_tf.beam.work.Work`."""

    def __init__(self, category: str):
        """``category``: VIQET's."""
        self._category = category

    def prepare(self) -> None:
        """Leave a core to each process."""
        alone()

    def do(self, item: Image) -> Any:
        """The metrics of an image, or its error."""
        return measured(lambda: measure_image(item, self._category))

    def failed(self, item: Image, error: Exception) -> Any:
        """The result of an image that an unforeseen error ended."""
        return failure(item.file, error)


def measured_of(row: Sequence[Any]) -> Measured:
    """A row as :func:`measure_image` returns it, of what JSON has made of it."""
    file, found, contours, cost = row
    return Measured(file, Quality(*found), contours, cost)
