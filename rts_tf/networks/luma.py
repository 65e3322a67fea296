"""Small networks from luma to luma of the same size: what a large network does, at its smallest.

    luma [H, W, 1] -> pack p x p pixels into channels -> n x (conv3x3 + ReLU)
    -> conv3x3 to p * p channels -> + packed luma -> unpack

On CPUs and NPUs, moving a plane of few channels costs more than arithmetic. Packing turns the plane
into one of ``p * p`` channels and as many fewer positions. The last convolution does not read the
packed luma: in a trial that took 3 of 19 ms of a frame and added .001 to the energy that is kept.

A network is named by its sizes: ``luma4-32-32`` packs 4 x 4 pixels and has two hidden layers of 32
channels. It starts as the identity. Height and width must be multiples of ``p``;
:mod:`rts_tf.luma` brings any size and the border of the image.
"""

from __future__ import annotations  # Keras 2 has no keras.KerasTensor

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
from keras import layers

from rts_tf.errors import ConfigError
from rts_tf.networks.layers import Pack, PixelShuffle

PACKS = (1, 2, 4, 8)
LEAST_BLOCK = 4  # pixels a side: 16 fill the vectors of a CPU
_NAME = re.compile(r"luma(\d+)((?:[-_]\d+)+)")


class LumaShape(NamedTuple):
    """The sizes of a network for luma.

    Attributes:
        pack: Pixels a side that become channels of one position.
        hidden: The channels of each hidden layer.
    """

    pack: int
    hidden: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name of the network, as in ``luma4-32-32``."""
        return "-".join((f"luma{self.pack}", *map(str, self.hidden)))

    @property
    def margin(self) -> int:
        """Pixels around a block of ``pack`` x ``pack`` pixels on which the block depends."""
        return self.pack * (len(self.hidden) + 1)

    @property
    def block(self) -> int:
        """Pixels a side of what the files of integers compute at once, a multiple of ``pack``."""
        return max(self.pack, LEAST_BLOCK)

    @property
    def macs(self) -> int:
        """MACs for each pixel of luma, rounded up."""
        phases = self.pack**2
        channels = (phases, *self.hidden)
        of_block = sum(9 * a * b for a, b in zip(channels, self.hidden, strict=False))
        of_block += 9 * channels[-1] * phases
        return -(-of_block // phases)


def is_luma(name: str) -> bool:
    """Whether ``name`` has the form of a network for luma."""
    return _NAME.fullmatch(name) is not None


def shape_of(name: str) -> LumaShape:
    """Read the sizes from the name of a network, or of its Keras model.

    Raises:
        ConfigError: It is not the name of a network for luma.
    """
    found = _NAME.fullmatch(name)
    pack = int(found[1]) if found else 0
    hidden = tuple(int(part) for part in re.split("[-_]", found[2])[1:]) if found else ()
    if pack not in PACKS or not hidden or not all(1 <= width <= 512 for width in hidden):
        raise ConfigError(
            f"network {name}: a network for luma is named as in luma4-32-32: pack 4 x 4 pixels"
            f" (one of {', '.join(map(str, PACKS))}), then the channels of each hidden layer, from"
            " 1 to 512."
        )
    return LumaShape(pack, hidden)


def build_luma(name: str, seed: int = 0, conv2d: type = layers.Conv2D) -> keras.Model:
    """Build the network ``name``, which starts as the identity.

    Args:
        name: As in ``luma4-32-32``.
        seed: The seed of the hidden layers (He uniform).
        conv2d: The class of the convolutions.

    Returns:
        A functional model from float32 [batch, H, W, 1] to the same shape, both nominally in
        [0, 1], where H and W are multiples of the packing. Convolutions pad with zeros.

    Raises:
        ConfigError: See :func:`shape_of`.
    """

    def convolution(channels: int, inputs: int, **settings: Any) -> layers.Layer:
        return conv2d(channels, 3, padding="same", **settings)

    return assemble(shape_of(name), convolution, seed)


def assemble(shape: LumaShape, convolution: Callable[..., layers.Layer], seed: int) -> keras.Model:
    """Put a network together.

    Args:
        shape: Its sizes.
        convolution: Makes a layer, given the channels that it computes, those that it reads, and
            settings of Keras.
        seed: The seed of the hidden layers (He uniform).
    """
    luma = keras.Input((None, None, 1), name="luma", dtype="float32")
    packed = Pack(shape.pack, name="pack", dtype="float32")(luma)
    phases = shape.pack**2
    x, inputs = packed, phases
    for i, width in enumerate(shape.hidden, start=1):
        start = keras.initializers.HeUniform(seed=seed + i)
        settings = {"activation": "relu", "kernel_initializer": start, "dtype": "float32"}
        x = convolution(width, inputs, name=f"hidden_{i}", **settings)(x)
        inputs = width
    settings = {"kernel_initializer": "zeros", "dtype": "float32"}
    change = convolution(phases, inputs, name="change", **settings)(x)
    total = layers.Add(name="enhanced", dtype="float32")([packed, change])
    output = PixelShuffle(shape.pack, name="unpack", dtype="float32")(total)
    return keras.Model(luma, output, name=shape.name.replace("-", "_"))
