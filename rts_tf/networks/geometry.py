"""What a network's layers say about its size: how far it looks, what it multiplies, what it holds for each LR pixel."""

import math
from fractions import Fraction
from typing import NamedTuple

import keras
from keras import layers

_CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
_POINTWISE = (
    layers.InputLayer,
    layers.Add,
    layers.Subtract,
    layers.Multiply,
    layers.Average,
    layers.Maximum,
    layers.Minimum,
    layers.Concatenate,
    layers.Activation,
    layers.ReLU,
    layers.LeakyReLU,
    layers.PReLU,
    layers.ELU,
    layers.Dropout,
    layers.SpatialDropout2D,
    layers.BatchNormalization,
)


_OF_LAYERS = "of layers, none used twice; for a + b write layers.Add()([a, b])"


class Geometry(NamedTuple):
    """Sizes of a network, each for one LR pixel."""

    scale: int  # output pixels a side
    receptive_radius: int  # LR pixels on each side on which the output depends
    macs: int  # by weights, of one forward pass
    values: int  # the most that one layer gives: what decides about memory


class _Reach(NamedTuple):
    """Of a tensor: its pixels a side for each LR pixel, and how far one looks, in LR pixels."""

    scale: int
    radius: Fraction


def geometry_of(network: keras.Model) -> Geometry:
    """Follow the layers of a functional model from its one input to its one output.

    A layer that is neither a convolution nor known to work on each pixel alone says how far it looks by an attribute
    ``receptive_radius`` (pixels of its input on each side), and by ``scale`` if it enlarges.

    Raises:
        ValueError: such a layer does not say it; a layer is used twice, has strides, or joins tensors of different sizes.
            Tiles could not be exact then.
    """
    reach: dict[int, _Reach] = {}
    multiplications = values = 0
    for layer in network.layers:
        before = _before(layer, reach)
        after = _after(layer, before)
        reach[id(layer.output)] = after
        kernels = sum(math.prod(w.shape) for w in layer.weights if len(w.shape) == 4)
        multiplications += kernels * before.scale**2
        values = max(values, layer.output.shape[-1] * after.scale**2)
    output = reach.get(id(network.outputs[0]))
    if output is None or len(network.inputs) != 1 or len(network.outputs) != 1:
        raise ValueError(f"the network is not a model from one input to one output {_OF_LAYERS}")
    return Geometry(output.scale, math.ceil(output.radius), multiplications, values)


def _before(layer: layers.Layer, reach: dict[int, _Reach]) -> _Reach:
    """What enters ``layer``."""
    if isinstance(layer, layers.InputLayer):
        return _Reach(1, Fraction(0))
    try:
        inputs = layer.input if isinstance(layer.input, list | tuple) else [layer.input]
    except (AttributeError, ValueError):
        raise ValueError(f"layer {layer.name} is used twice") from None
    found = [reach.get(id(tensor)) for tensor in inputs]
    if None in found:
        raise ValueError(f"what enters layer {layer.name} is not made {_OF_LAYERS}")
    if len({each.scale for each in found}) > 1:
        raise ValueError(f"layer {layer.name} joins tensors of different sizes")
    return _Reach(found[0].scale, max(each.radius for each in found))


def _after(layer: layers.Layer, before: _Reach) -> _Reach:
    """What leaves ``layer``."""
    own = getattr(layer, "receptive_radius", None)
    if (
        own is None
        and isinstance(layer, _CONVOLUTIONS)
        and not isinstance(layer, layers.Conv2DTranspose)
    ):
        if set(layer.strides) != {1}:
            raise ValueError(f"layer {layer.name} has strides")
        own = max(
            -(-(size - 1) * rate // 2)
            for size, rate in zip(layer.kernel_size, layer.dilation_rate, strict=True)
        )
    elif own is None and isinstance(layer, _POINTWISE):
        own = 0
    elif own is None:
        kind = type(layer).__name__
        raise ValueError(
            f"how far layer {layer.name} looks is not known: give {kind} an attribute receptive_radius"
        )
    return _Reach(
        before.scale * getattr(layer, "scale", 1), before.radius + Fraction(own, before.scale)
    )
