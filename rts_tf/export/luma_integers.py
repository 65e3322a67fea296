"""Turns a network for luma into 8-bit integers, without training.

Kernels are rounded layer by layer, as in :mod:`rts_tf.export.quantization`, but each on what the
integers before it pass on, and its biases bring the means back to those of the network in floating
point. With every tensor that is an image at a step of one level, the residual sum is exact.
"""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from rts_tf.export.passes import Convolution
from rts_tf.export.program import program_of
from rts_tf.export.quantization import largest_weights, range_of_least_error, rounded_kernel
from rts_tf.images.dtypes import to_float
from rts_tf.networks.luma import LumaShape, build_luma, shape_of

PATCHES = 12_800  # that the second moments are taken from, over all planes
SAMPLES = 128_000  # that a range is taken from, over all planes
# Levels of flat planes that are added. A range that ends below what a white wall makes would change
# the level of the wall, and not every set of images has one.
FLAT = (0, 255)
CHANGE_RANGE = -128 / 255, 127 / 255  # steps of one level
IMAGE_RANGE = 0.0, 1.0


class LumaIntegers(NamedTuple):
    """A network for luma and what its integers stand for.

    Attributes:
        network: The network with its weights on the steps of the integers. In floating point it
            differs from the integers only by the rounding of what passes from layer to layer.
        highest: What 255 stands for in each hidden layer, where 0 stands for 0.
    """

    network: keras.Model
    highest: tuple[float, ...]

    @property
    def shape(self) -> LumaShape:
        """The sizes of the network."""
        return shape_of(self.network.name)


class _Reading(NamedTuple):
    """What a layer reads on each plane, [1, h, w, channels]."""

    exact: list[np.ndarray]  # by the network in floating point
    integer: list[np.ndarray]  # by the integers


def integers_of(network: keras.Model, planes: list[np.ndarray]) -> LumaIntegers:
    """Round a network to integers that serve ``planes`` best.

    Args:
        network: Of :func:`rts_tf.networks.luma.build_luma`; it is not changed.
        planes: uint8 [H, W], some dozens of 100 to 200 pixels a side. All activations are held in
            memory.

    Raises:
        ConfigError: It is not a network for luma.
        ValueError: There is no plane, or one is smaller than what a block depends on.
    """
    shape = shape_of(network.name)
    least = shape.pack + 2 * shape.margin
    if not planes or min(min(plane.shape) for plane in planes) < least:
        raise ValueError(f"expected at least one plane, and at least {least} pixels a side")
    flat = [np.full((least, least), level, np.uint8) for level in FLAT]
    packed = [_packed(plane, shape.pack) for plane in (*planes, *flat)]
    made, reading = build_luma(shape.name), _Reading(packed, packed)
    highest: list[float] = []
    *hidden, change = convolutions_of(network)
    for each in hidden:
        rounded, shifted = _rounded(each, reading)
        made.get_layer(each.name).set_weights([rounded, shifted])
        reading = _Reading(
            [tf.nn.relu(_convolved(x, each.kernel, each.bias)).numpy() for x in reading.exact],
            [tf.nn.relu(_convolved(x, rounded, shifted)).numpy() for x in reading.integer],
        )
        highest.append(_highest(reading.integer))
        reading = reading._replace(integer=[_on_steps(x, highest[-1]) for x in reading.integer])
    made.get_layer(change.name).set_weights(_rounded(change, reading))
    return LumaIntegers(made, tuple(highest))


def convolutions_of(network: keras.Model) -> list[Convolution]:
    """The convolutions of a network for luma in order; the last one makes the change."""
    return [each for each in program_of(network).passes if isinstance(each, Convolution)]


def _rounded(each: Convolution, reading: _Reading) -> tuple[np.ndarray, np.ndarray]:
    """A kernel on steps, and the bias with which the mean of its output is that of ``each``."""
    kernel, bias = each.kernel, each.bias
    exact, integer = (_patches(tensors) for tensors in reading)
    rounded = rounded_kernel(kernel, largest_weights(kernel), integer.T @ integer / len(integer))
    wanted, got = (
        patches.mean(0) @ weights.reshape(len(patches[0]), -1)
        for patches, weights in ((exact, kernel), (integer, rounded))
    )
    return rounded, (bias + wanted - got).astype(np.float32)


def _patches(tensors: list[np.ndarray]) -> np.ndarray:
    """Flat 3x3 patches, float64 [count, 9 * channels], at the same places for the same sizes."""
    random, kept = np.random.default_rng(0), []
    count = -(-PATCHES // len(tensors))
    for values in tensors:
        rows = random.integers(values.shape[1] - 2, size=count)
        columns = random.integers(values.shape[2] - 2, size=count)
        kept += [
            values[0, i : i + 3, j : j + 3].ravel() for i, j in zip(rows, columns, strict=True)
        ]
    return np.array(kept, np.float64)


def _highest(tensors: list[np.ndarray]) -> float:
    """The end of the range of least squared error from 0 on, for values that are not negative."""
    random, count = np.random.default_rng(0), -(-SAMPLES // len(tensors))
    samples = [random.choice(values.ravel(), count) for values in tensors]
    return float(range_of_least_error(np.concatenate(samples))[1])


def _on_steps(values: np.ndarray, highest: float) -> np.ndarray:
    return tf.quantization.fake_quant_with_min_max_args(values, 0.0, highest).numpy()


def _convolved(values: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> tf.Tensor:
    return tf.nn.conv2d(values, kernel, strides=1, padding="VALID") + bias


def _packed(plane: np.ndarray, pack: int) -> np.ndarray:
    """The plane as float32 [1, H / pack, W / pack, pack * pack]; what fills no block is cut."""
    height, width = (side - side % pack for side in plane.shape)
    luma = to_float(plane[:height, :width])[None, ..., None]
    return (tf.nn.space_to_depth(luma, pack) if pack > 1 else tf.constant(luma)).numpy()
