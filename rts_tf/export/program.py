"""A network as a list of passes, from which ONNX, shaders, the page and TFLite are written."""

from __future__ import annotations  # Keras 2 has no keras.KerasTensor

import collections
import dataclasses
from typing import NamedTuple

import keras
import numpy as np
from keras import layers

from rts_tf.errors import ConfigError
from rts_tf.export.downscale import halving_kernels
from rts_tf.export.passes import (
    INPUT,
    OUTPUT,
    Border,
    Convolution,
    Cut,
    Halve,
    Join,
    PackPixels,
    Pass,
    Sum,
    UnpackPixels,
)
from rts_tf.images.resample import D_RADIUS
from rts_tf.networks.geometry import geometry_of
from rts_tf.networks.layers import BicubicPhases, BicubicUpscaling, EdgePadding, Pack, PixelShuffle
from rts_tf.networks.luma import is_luma, shape_of

BORDERED, DOUBLED_PHASES, PHASES = "rts_bordered", "rts_doubled_phases", "rts_phases"


class Program(NamedTuple):
    """A network as passes.

    Attributes:
        name: That of the network.
        passes: In the order of computing. The last one makes ``OUTPUT``.
        channels: Of the input, ``INPUT``: 3 for RGB, 1 for luma; nominally in [0, 1].
        scale: Pixels of the output along each side for each pixel of the input.
        receptive_radius: Pixels of the input on each side that a pixel of the output depends on.
        multiple: Height and width of tensors behind the border are multiples of it.
        macs: Multiplications with weights for each pixel of the input, without those on the border.
    """

    name: str
    passes: tuple[Pass, ...]
    channels: int
    scale: int
    receptive_radius: int
    multiple: int
    macs: int


def program_of(network: keras.Model, head: str = "enhance") -> Program:
    """Turn a network into passes.

    Args:
        network: One that doubles the size, or one for luma.
        head: "enhance", d(SR(x)), of the size of x, or "upscale", SR(x). Networks for luma have
            "enhance" alone.

    Returns:
        The passes. Their result is not clipped.

    Raises:
        ConfigError: A layer has no pass. The message names the layer and its type.
    """
    geometry = geometry_of(network)
    if is_luma(network.name.replace("_", "-")):
        shape = shape_of(network.name)
        walk = _Walk(network, shape.margin)
        walk.add(Cut(OUTPUT, (walk.last,), 1, shape.margin))
        radius = shape.margin + shape.pack - 1
        return Program(network.name, tuple(walk.passes), 1, 1, radius, shape.pack, shape.macs)
    radius, scale, macs = geometry.receptive_radius, geometry.scale, geometry.macs
    walk = _Walk(network, radius)
    if head == "upscale":
        walk.add(Cut(OUTPUT, (walk.last,), walk.channels(walk.last), scale * radius))
        return Program(network.name, tuple(walk.passes), 3, scale, radius, 1, macs)
    walk.add(Cut(PHASES, (walk.packed(walk.last, DOUBLED_PHASES, 2),), 12, radius))
    walk.add(Halve(OUTPUT, (PHASES,), 3))
    macs += sum(kernel.size for kernel in halving_kernels())
    return Program(network.name, tuple(walk.passes), 3, 1, radius + D_RADIUS, 1, macs)


class _Walk:
    """The walk over the layers of a network.

    Attributes:
        passes: Those of the layers so far.
        last: The name of the tensor that the last layer makes.
    """

    def __init__(self, network: keras.Model, border: int):
        self.passes: list[Pass] = []
        self._padded: set[str] = set()  # tensors that a convolution without padding may read
        self._readers = collections.Counter(
            id(tensor) for layer in network.layers[1:] for tensor in inputs_of(layer)
        )
        channels = network.inputs[0].shape[-1]
        self.add(Border(BORDERED, (INPUT,), channels, border))
        names = {id(network.inputs[0]): BORDERED}
        for layer in network.layers[1:]:
            sources = tuple(names[id(tensor)] for tensor in inputs_of(layer))
            names[id(layer.output)] = self._after(layer, sources)
        self.last = names[id(network.outputs[0])]

    def add(self, made: Pass) -> str:
        """Append a pass; returns the name of its tensor."""
        self.passes.append(made)
        return made.name

    def channels(self, name: str) -> int:
        """The channels of a tensor."""
        return self._maker(name).channels

    def packed(self, source: str, name: str, block: int) -> str:
        """Pack the pixels of a tensor, or take what was unpacked."""
        maker = self._maker(source)
        if block == 1:
            return source
        if isinstance(maker, UnpackPixels) and maker.block == block:
            self.passes = [each for each in self.passes if each is not maker or self._is_read(each)]
            return maker.source
        return self.add(PackPixels(name, (source,), self.channels(source) * block**2, block))

    def _maker(self, name: str) -> Pass:
        return next(made for made in self.passes if made.name == name)

    def _is_read(self, made: Pass) -> bool:
        return any(made.name in each.sources for each in self.passes)

    def _after(self, layer: layers.Layer, sources: tuple[str, ...]) -> str:
        """Add the passes of a layer; returns the name of the tensor that it makes."""
        source, name = sources[0], layer.name
        if isinstance(layer, layers.Conv2D) and _is_plain(layer):
            if layer.padding != "same" and (
                source not in self._padded or {*layer.kernel_size} != {3}
            ):
                raise _no_pass(layer)
            kernel, bias = [*layer.get_weights(), np.zeros(layer.filters, np.float32)][:2]
            relu = layer.activation is keras.activations.relu
            return self.add(Convolution(name, sources, layer.filters, kernel, bias, relu))
        if isinstance(layer, layers.Add):
            return self.add(Sum(name, sources, self.channels(source), False))
        if isinstance(layer, layers.Concatenate) and layer.axis in (-1, 3):
            return self.add(Join(name, sources, sum(map(self.channels, sources))))
        if isinstance(layer, Pack):
            return self.packed(source, name, layer.pack)
        if isinstance(layer, PixelShuffle):
            return self._unpacked(source, name, layer.scale)
        if isinstance(layer, BicubicUpscaling):
            channels = self.channels(source)
            kernel = np.asarray(BicubicPhases()((3, 3, channels, 4 * channels)))
            bias = np.zeros(4 * channels, np.float32)
            phases = Convolution(f"{name}_phases", sources, 4 * channels, kernel, bias, False)
            return self._unpacked(self.add(phases), name, 2)
        if isinstance(layer, layers.ReLU) or _is_relu(layer):
            return self._rectified(layer, source)
        if isinstance(layer, layers.BatchNormalization):
            return self._normalised(layer, source)
        if isinstance(layer, EdgePadding):
            self._padded.add(source)  # the border of the image makes up for it
            return source
        if isinstance(layer, layers.Dropout | layers.SpatialDropout2D):
            return source
        raise _no_pass(layer)

    def _unpacked(self, source: str, name: str, block: int) -> str:
        if block == 1:
            return source
        return self.add(UnpackPixels(name, (source,), self.channels(source) // block**2, block))

    def _rectified(self, layer: layers.Layer, source: str) -> str:
        """Make the pass that made ``source`` rectify what it makes, if nothing else reads that."""
        maker = self._maker(source)
        limits = [getattr(layer, key, None) for key in ("max_value", "negative_slope", "threshold")]
        if any(limits) or not isinstance(maker, Convolution | Sum) or not self._is_alone(layer):
            raise _no_pass(layer)
        return self._replace(maker, dataclasses.replace(maker, name=layer.name, relu=True))

    def _normalised(self, layer: layers.BatchNormalization, source: str) -> str:
        """Scale the kernel and the bias of the convolution that made ``source``."""
        maker = self._maker(source)
        if not isinstance(maker, Convolution) or maker.relu or not self._is_alone(layer):
            raise _no_pass(layer)
        mean, variance = np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)
        factor = 1 / np.sqrt(variance + layer.epsilon)
        factor = factor * np.asarray(layer.gamma) if layer.scale else factor
        bias = (maker.bias - mean) * factor + (np.asarray(layer.beta) if layer.center else 0)
        normalised = dataclasses.replace(
            maker,
            name=layer.name,
            kernel=(maker.kernel * factor).astype(np.float32),
            bias=bias.astype(np.float32),
        )
        return self._replace(maker, normalised)

    def _is_alone(self, layer: layers.Layer) -> bool:
        """Whether no other layer reads what ``layer`` reads."""
        return self._readers[id(layer.input)] == 1

    def _replace(self, before: Pass, after: Pass) -> str:
        self.passes[self.passes.index(before)] = after
        return after.name


def inputs_of(layer: layers.Layer) -> list[keras.KerasTensor]:
    """The tensors that enter a layer of a functional model."""
    return layer.input if isinstance(layer.input, list) else [layer.input]


def _is_plain(layer: layers.Conv2D) -> bool:
    """Whether a convolution is a :class:`Convolution`, which :mod:`geometry` leaves open."""
    sizes = {size % 2 for size in layer.kernel_size}
    return (
        not isinstance(layer, layers.DepthwiseConv2D | layers.Conv2DTranspose)
        and sizes == {1}
        and layer.groups == 1
        and {*layer.dilation_rate, *layer.strides} == {1}
        and layer.data_format == "channels_last"
        and layer.activation in (keras.activations.relu, keras.activations.linear)
    )


def _is_relu(layer: layers.Layer) -> bool:
    return isinstance(layer, layers.Activation) and layer.activation is keras.activations.relu


def _no_pass(layer: layers.Layer) -> ConfigError:
    return ConfigError(
        f"layer {layer.name} ({type(layer).__name__}) cannot be written to this format: it takes"
        " convolutions of stride 1 with ReLU or without an activation, sums, concatenations, pixel"
        " shuffles, and batch normalization right behind a convolution; leave out that format"
    )
