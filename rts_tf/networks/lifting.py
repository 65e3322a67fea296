"""Lifting: a network for single pixels, computed on blocks of packed pixels.

A kernel that serves every pixel alike has few weights and trains well. On a vector unit it is slow,
since a plane has one channel. Packed, p x p pixels are the channels of one position, and the same
kernel becomes one of 3x3 positions whose weights repeat: that is lifting, and it is exact as long
as the kernel reaches no further than p pixels. A network for luma is trained in two parts
(:mod:`rts_tf.distillation`): with lifted kernels first, whose repetitions are tied, and then, from
there, with all weights of the packed network free.
"""

import functools
import itertools
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rts_tf.errors import ConfigError
from rts_tf.networks.luma import assemble, build_luma, shape_of

# How much stronger than luma the carried filter runs through the hidden layers, and the share of
# its usual range that a random kernel has beside it. Both were found by trying.
CARRIED, RANDOM = 8.0, 0.5


@keras.saving.register_keras_serializable(package="rts_tf")
class LiftedConv2D(keras.layers.Layer):
    """A convolution of single pixels, with "same" padding, on packed pixels.

    Its input and its output have the channels of the first pixel of a block, then those of the
    second one of the row, and so on.
    """

    receptive_radius = 1

    def __init__(self, filters, size, pack, inputs, activation=None, **kwargs):
        """Describe the layer.

        Args:
            filters: Channels of a single pixel that are computed.
            size: The side of the kernel in pixels, odd, at most 2 * pack + 1.
            pack: Pixels a side of a block.
            inputs: Channels of a single pixel that are read.
            activation: Of Keras.
        """
        start = kwargs.pop("kernel_initializer", "he_uniform")
        super().__init__(**kwargs)
        self.filters, self.size, self.pack, self.inputs = filters, size, pack, inputs
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(start)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.size, self.size, self.inputs, self.filters),
            initializer=self.kernel_initializer,
        )
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")
        self.built = True

    def call(self, inputs):
        kernel, bias = self.lifted()
        return self.activation(tf.nn.conv2d(inputs, kernel, strides=1, padding="SAME") + bias)

    def lifted(self) -> tuple[tf.Tensor, tf.Tensor]:
        """The kernel [3, 3, in, out] and the bias [out] of packed pixels."""
        places = _places(self.size, self.pack, self.inputs, self.filters)
        weights = tf.concat([tf.reshape(tf.convert_to_tensor(self.kernel), [-1]), [0.0]], axis=0)
        return tf.gather(weights, places), tf.tile(tf.convert_to_tensor(self.bias), [self.pack**2])

    def compute_output_shape(self, input_shape):
        return (*input_shape[:3], self.filters * self.pack**2)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "size": self.size,
            "pack": self.pack,
            "inputs": self.inputs,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


@functools.cache
def _places(size: int, pack: int, inputs: int, filters: int) -> np.ndarray:
    """Where each weight of the lifted kernel stands in the flat kernel; its end stands for zero."""
    flat = np.arange(size * size * inputs * filters).reshape(size, size, inputs, filters)
    block = pack * pack
    lifted = np.full((3, 3, block * inputs, block * filters), flat.size)
    steps = itertools.product(range(pack), range(pack), range(size), range(size))
    for row, column, i, j in steps:
        (up, from_row), (left, from_column) = (
            divmod(row + i - size // 2, pack),
            divmod(column + j - size // 2, pack),
        )
        made = (row * pack + column) * filters + np.arange(filters)
        read = (from_row * pack + from_column) * inputs + np.arange(inputs)
        lifted[(up + 1, left + 1)][np.ix_(read, made)] = flat[i, j]
    return lifted


def build_lifted(name: str, size: int, seed: int = 0) -> keras.Model:
    """Build the network ``name`` for luma with lifted kernels: the same function of every pixel.

    Args:
        name: As in ``luma4-32-32``. The channels of a hidden layer must be a multiple of the
            pixels of a block.
        size: The side of all kernels in pixels, odd, at most 2 * pack + 1.
        seed: The seed of the hidden layers (He uniform).

    Raises:
        ConfigError: The channels or the size are none of these.
    """
    shape = shape_of(name)
    block = shape.pack**2
    if any(width % block for width in shape.hidden):
        raise ConfigError(
            f"network {name}: each hidden layer needs a multiple of {block} channels, since a block"
            f" has {shape.pack} x {shape.pack} pixels."
        )
    if size % 2 == 0 or not 3 <= size <= 2 * shape.pack + 1:
        raise ConfigError(
            f"a kernel of {size} pixels a side does not fit {name}: it must be odd, from 3 to"
            f" {2 * shape.pack + 1}."
        )

    def convolution(channels: int, inputs: int, **settings: Any) -> keras.layers.Layer:
        widths = channels // block, inputs // block
        return LiftedConv2D(widths[0], size, shape.pack, widths[1], **settings)

    return assemble(shape, convolution, seed)


def start_from_filter(network: keras.Model, kernel: np.ndarray) -> None:
    """Let a network of :func:`build_lifted` begin as a linear filter that runs through its ReLUs.

    The first two channels of each hidden layer carry the positive and the negative part of what the
    filter adds, and the other channels stay small and random. From there the training finds what is
    not linear; from zeros, or with the filter beside the ReLUs, it mostly stays with what is.

    Args:
        network: It is changed.
        kernel: float [k, k] with k odd, what a linear filter adds to luma. It is cut to the side of
            the first layer, or padded with zeros.
    """
    layers = [layer for layer in network.layers if isinstance(layer, LiftedConv2D)]
    for layer in layers:
        weights, bias = layer.get_weights()
        middle = layer.size // 2
        carried = min(2, layer.inputs)
        if layer is layers[0]:
            fitting = _of_side(kernel, layer.size) * CARRIED
            weights *= RANDOM
            for channel, sign in zip(range(layer.filters), (1, -1), strict=False):
                weights[:, :, 0, channel] = sign * fitting
        elif layer is layers[-1]:
            weights[middle, middle, :carried, 0] = np.array([1, -1])[:carried] / CARRIED
        else:
            weights *= RANDOM
            weights[..., :carried] = 0
            for channel in range(min(carried, layer.filters)):
                weights[middle, middle, channel, channel] = 1
        layer.set_weights([weights, bias])


def _of_side(kernel: np.ndarray, size: int) -> np.ndarray:
    """The middle ``size`` x ``size`` of a kernel, with zeros around it if it is smaller."""
    more = max(0, size - len(kernel)) // 2
    less = max(0, len(kernel) - size) // 2
    return np.pad(kernel, more)[less : less + size, less : less + size]


def freed(network: keras.Model) -> keras.Model:
    """The same function as a network of :func:`rts_tf.networks.luma.build_luma`.

    Args:
        network: Of :func:`build_lifted`.
    """
    made = build_luma(network.name)
    for layer in network.layers:
        if isinstance(layer, LiftedConv2D):
            made.get_layer(layer.name).set_weights([part.numpy() for part in layer.lifted()])
    return made
