"""The super-resolution networks by name, and networks of the user (docs/networks.md).

This package knows Keras only: no files, no flags.
"""

import importlib
import math
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from rts_tf.errors import ConfigError
from rts_tf.networks.geometry import geometry_of
from rts_tf.networks.luma import build_luma, is_luma
from rts_tf.networks.registry import NETWORKS, builder


def build(
    name: str, seed: int = 0, precision: str = "float32", conv2d: type = keras.layers.Conv2D
) -> keras.Model:
    """Build the x2 super-resolution network ``name``.

    Args:
        name: A key of :data:`rts_tf.config.NETWORKS`, or ``"module:function"``: a function that
            takes the other three arguments. Or a network for luma, such as ``"luma4-32-32"``: it
            keeps the size and is always float32 (:mod:`rts_tf.networks.luma`).
        seed: The seed of the layers that start at random.
        precision: ``"float32"``, or ``"mixed_bfloat16"``, with convolutions in bfloat16, and with
            weights, sums of images and the head in float32.
        conv2d: The class of the convolutions. ``layers.MatrixGradientConv2D`` trains faster on a
            CPU.

    Returns:
        A functional model from float32 [batch, H, W, 3] to float32 [batch, 2H, 2W, 3], for any
        H and W >= 1, both of nominal range [0, 1]. The networks of this package start as plain
        interpolation of their input.

    Raises:
        ConfigError: There is no network of that name, or the function does not exist, fails, or
            returns another kind of model.
    """
    if ":" in name:
        return _build_own(name, seed, precision, conv2d)
    if is_luma(name):
        return build_luma(name, seed, conv2d)
    if name not in NETWORKS:
        raise ConfigError(
            f"network {name}: choose one of {', '.join(NETWORKS)}, or name your own as"
            " module:function."
        )
    return builder(name)(seed=seed, precision=precision, conv2d=conv2d)


def glorot_start(network: keras.Model, seed: int) -> list[np.ndarray]:
    """Weights for ``network`` whose kernels are all drawn at random (Glorot uniform, as in Keras).

    They take the place of the network's own start, which is plain interpolation.
    """
    drawn = keras.initializers.GlorotUniform
    weights = enumerate(network.get_weights())
    return [np.asarray(drawn(seed=seed + i)(w.shape)) if w.ndim == 4 else w for i, w in weights]


def receptive_radius(network: keras.Model) -> int:
    """How many LR pixels on each side an output pixel depends on.

    Raises:
        ValueError: See :func:`rts_tf.networks.geometry.geometry_of`.
    """
    return geometry_of(network).receptive_radius


def macs_per_pixel(network: keras.Model) -> int:
    """The MACs of one forward pass for each LR pixel.

    Raises:
        ValueError: See :func:`rts_tf.networks.geometry.geometry_of`.
    """
    return geometry_of(network).macs


def parameters(network: keras.Model) -> int:
    """The number of trainable parameters."""
    return sum(math.prod(variable.shape) for variable in network.trainable_variables)


def _build_own(name: str, seed: int, precision: str, conv2d: type) -> keras.Model:
    module, _, function = name.partition(":")
    try:
        own_builder: Callable = getattr(importlib.import_module(module), function)
    except Exception as error:  # importing a module can raise anything
        reason = f"{type(error).__name__}: {error}"
        raise ConfigError(
            f"network {name}: cannot be imported ({reason}). Run from the folder of {module}.py."
        ) from None
    try:
        network = own_builder(seed, precision, conv2d)
        scale = geometry_of(network).scale
        output = network(tf.zeros([1, 5, 7, 3]))
    except Exception as error:  # and so can calling its function
        raise ConfigError(
            f"network {name}: cannot be built ({type(error).__name__}: {error})."
        ) from None
    if scale != 2 or tuple(output.shape) != (1, 10, 14, 3) or output.dtype != tf.float32:
        given = f"{output.dtype.name} {list(output.shape)}"
        raise ConfigError(
            f"network {name}: must double float32 [1, 5, 7, 3] to float32 [1, 10, 14, 3], not to"
            f" {given}."
        )
    return network
