"""The images and the network that the benchmarks work on, and the flags that name them."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from absl import flags

from rts_tf.data.datasets import SAMPLE_TRAIN, ImageSource, folder, sample


def define_data_flag() -> None:
    """Define ``--data``, which :func:`images` and :func:`repeated_images` take."""
    flags.DEFINE_string("data", "", "Folder of images; empty: the sample images.")


def define_model_flag() -> None:
    """Define ``--model``, which :func:`rts_tf.load` takes."""
    text = "Name of weights that come with rts_tf, a run directory, or a .keras file."
    flags.DEFINE_string("model", "residual3", text)


def images(data: str, names: Sequence[str] = SAMPLE_TRAIN) -> ImageSource:
    """Return the images of the folder ``data``, or the sample images ``names`` if it is empty."""
    return folder(data) if data else sample(tuple(names))


def repeated_images(
    data: str, height: int, width: int, names: Sequence[str] = SAMPLE_TRAIN
) -> ImageSource:
    """Return :func:`images`, with the sample images repeated to ``height`` x ``width`` pixels."""
    source = images(data, names)
    if data:
        return source
    return dataclasses.replace(source, read=lambda name: repeated(source.read(name), height, width))


def repeated(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Repeat ``image``, uint8 [H, W, 3], in both directions to ``height`` x ``width`` pixels."""
    times = -(-height // image.shape[0]), -(-width // image.shape[1]), 1
    return np.ascontiguousarray(np.tile(image, times)[:height, :width])
