"""Sizes of a network, read from its layers: receptive field, MACs, and values for each LR pixel."""

import math
from fractions import Fraction
from typing import NamedTuple

import keras
from keras import layers

# The layers of Keras whose receptive radius is known
CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
POINTWISE = (
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

# The end of error messages
_OF_LAYERS = "of layers, none used twice; for a + b write layers.Add()([a, b])"


class Geometry(NamedTuple):
    """Sizes of a network, each for one LR pixel.

    Attributes:
        scale: Output pixels along each side.
        receptive_radius: LR pixels on each side that an output pixel depends on.
        macs: Multiplications with weights in one forward pass.
        values: The most values that one layer puts out, which decides about the memory.
    """

    scale: int
    receptive_radius: int
    macs: int
    values: int


class _Reach(NamedTuple):
    """The size of a tensor and its receptive radius, both for one LR pixel.

    Attributes:
        scale: Its pixels along each side; below 1 where pixels are packed.
        radius: LR pixels on each side that one of its pixels depends on.
    """

    scale: Fraction
    radius: Fraction


def geometry_of(network: keras.Model) -> Geometry:
    """Follow the layers of a functional model from its one input to its one output.

    A layer that is neither a convolution nor known to work on single pixels needs an attribute
    ``receptive_radius`` (in pixels of its input, on each side), and ``scale`` if it enlarges.

    Raises:
        ValueError: Tiles could not be exact: a layer lacks these attributes, is used twice, has
            strides, or joins tensors of different sizes.
    """
    reach: dict[int, _Reach] = {}
    macs = values = 0
    for layer in network.layers:
        before = _before(layer, reach)
        after = _after(layer, before)
        reach[id(layer.output)] = after
        kernels = sum(math.prod(w.shape) for w in layer.weights if len(w.shape) == 4)
        macs += math.ceil(kernels * before.scale**2)
        values = max(values, math.ceil(layer.output.shape[-1] * after.scale**2))
    output = reach.get(id(network.outputs[0]))
    if output is None or len(network.inputs) != 1 or len(network.outputs) != 1:
        raise ValueError(f"the network is not a model from one input to one output {_OF_LAYERS}")
    return Geometry(int(output.scale), math.ceil(output.radius), macs, values)


def _before(layer: layers.Layer, reach: dict[int, _Reach]) -> _Reach:
    """The reach of what enters ``layer``. Raises ValueError, see :func:`geometry_of`."""
    if isinstance(layer, layers.InputLayer):
        return _Reach(Fraction(1), Fraction(0))
    try:
        inputs = layer.input if isinstance(layer.input, list | tuple) else [layer.input]
    except (AttributeError, ValueError):
        raise ValueError(f"layer {layer.name} is used twice") from None
    found = [reach[id(tensor)] for tensor in inputs if id(tensor) in reach]
    if len(found) < len(inputs):
        raise ValueError(f"what enters layer {layer.name} is not made {_OF_LAYERS}")
    if len({each.scale for each in found}) > 1:
        raise ValueError(f"layer {layer.name} joins tensors of different sizes")
    return _Reach(found[0].scale, max(each.radius for each in found))


def _after(layer: layers.Layer, before: _Reach) -> _Reach:
    """The reach of what leaves ``layer``. Raises ValueError, see :func:`geometry_of`."""
    # Batch normalization has a "scale" of another meaning.
    own = 1 if isinstance(layer, layers.BatchNormalization) else getattr(layer, "scale", 1)
    scale = before.scale * own
    return _Reach(scale, before.radius + Fraction(_radius_of(layer), before.scale))


def _radius_of(layer: layers.Layer) -> int:
    """The receptive radius of one layer, in pixels of its input. Raises as :func:`geometry_of`."""
    own = getattr(layer, "receptive_radius", None)
    if own is not None:
        return own
    if isinstance(layer, POINTWISE):
        return 0
    if isinstance(layer, CONVOLUTIONS) and not isinstance(layer, layers.Conv2DTranspose):
        if set(layer.strides) != {1}:
            raise ValueError(f"layer {layer.name} has strides")
        # A kernel of even size reaches one pixel further on one side.
        sizes = zip(layer.kernel_size, layer.dilation_rate, strict=True)
        return max(math.ceil((size - 1) * rate / 2) for size, rate in sizes)
    raise ValueError(
        f"the receptive radius of layer {layer.name} is not known: give {type(layer).__name__} an"
        " attribute receptive_radius"
    )
