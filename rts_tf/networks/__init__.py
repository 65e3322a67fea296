"""The networks by name, and your own (docs/networks.md). Knows Keras alone: no files, no flags."""

import functools
import importlib
import math
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from rts_tf.errors import ConfigError
from rts_tf.networks import edsr, residual, residual_wide, srcnn, srresnet, vdsr
from rts_tf.networks.geometry import geometry_of

_BUILDERS = {
    "residual1": functools.partial(residual.build, 1),
    "residual3": functools.partial(residual.build, 3),
    "residual6": functools.partial(residual.build, 6),
    "residual3-wide": functools.partial(residual_wide.build, 3),
    "srcnn": srcnn.build,
    "vdsr": vdsr.build,
    "srresnet": srresnet.build,
    "edsr": edsr.build,
}


def build(
    name: str, seed: int = 0, precision: str = "float32", conv2d: type = keras.layers.Conv2D
) -> keras.Model:
    """Build the x2 super-resolution network ``name``.

    Args:
        name: one of rts_tf.config.NETWORKS, or "module:function", a function that takes the other three arguments.
        seed: of the random start of the layers that are not an identity start.
        conv2d: class of its convolutions: ``layers.MatrixGradientConv2D`` trains faster on a CPU.
        precision: "float32" or "mixed_bfloat16" (convolutions in bfloat16, weights, sums of images and head in float32).

    Returns:
        A functional model from float32 [batch, H, W, 3] to float32 [batch, 2H, 2W, 3], any H and W >= 1, both of
        nominal range [0, 1]. At the start the output of the networks of this package is plain interpolation of the input.

    Raises:
        ConfigError: no network of that name, or a function that is not there, fails, or gives another kind of model.
    """
    if ":" in name:
        return _build_own(name, seed, precision, conv2d)
    if name not in _BUILDERS:
        raise ConfigError(
            f"network {name}: choose one of {', '.join(_BUILDERS)}, or name your own as module:function."
        )
    return _BUILDERS[name](seed, precision, conv2d)


def glorot_start(network: keras.Model, seed: int) -> list[np.ndarray]:
    """Weights of ``network`` with every kernel drawn as Keras does by default (Glorot, uniform), instead of its own start."""
    drawn = keras.initializers.GlorotUniform
    weights = enumerate(network.get_weights())
    return [np.asarray(drawn(seed=seed + i)(w.shape)) if w.ndim == 4 else w for i, w in weights]


def receptive_radius(network: keras.Model) -> int:
    """LR pixels on each side on which an output pixel depends. Raises ValueError, see rts_tf.networks.geometry."""
    return geometry_of(network).receptive_radius


def macs_per_pixel(network: keras.Model) -> int:
    """Multiplications by weights for each LR pixel of one forward pass. Raises as ``receptive_radius``."""
    return geometry_of(network).macs


def parameters(network: keras.Model) -> int:
    """Trainable parameters."""
    return sum(math.prod(variable.shape) for variable in network.trainable_variables)


def _build_own(name: str, seed: int, precision: str, conv2d: type) -> keras.Model:
    module, _, function = name.partition(":")
    try:
        builder: Callable = getattr(importlib.import_module(module), function)
    except Exception as error:  # whatever the module does when it is imported
        reason = f"{type(error).__name__}: {error}"
        raise ConfigError(
            f"network {name}: cannot be imported ({reason}). Run from the folder of {module}.py."
        ) from None
    try:
        network = builder(seed, precision, conv2d)
        scale = geometry_of(network).scale
        output = network(tf.zeros([1, 5, 7, 3]))
    except Exception as error:  # likewise
        raise ConfigError(
            f"network {name}: cannot be built ({type(error).__name__}: {error})."
        ) from None
    if scale != 2 or tuple(output.shape) != (1, 10, 14, 3) or output.dtype != tf.float32:
        given = f"{output.dtype.name} {list(output.shape)}"
        raise ConfigError(
            f"network {name}: must double float32 [1, 5, 7, 3] to float32 [1, 10, 14, 3], not to {given}."
        )
    return network
