"""Finds the function that builds a network of this package by name, and translates such names.

The registry itself is ``rts_tf.config.NETWORKS``, which needs no TensorFlow.
"""

import functools
import importlib
from collections.abc import Callable

import keras

from rts_tf.config import NETWORKS


def keras_name(name: str) -> str:
    """Return what Keras calls the network ``name``: "residual3_wide" for "residual3-wide".

    Keras does not allow a hyphen in the name of a model.
    """
    return name.replace("-", "_")


def registered_name(network: keras.Model) -> str | None:
    """Return the name in the registry of a Keras model, or None if it is not of this package."""
    names = {keras_name(name): name for name in NETWORKS}
    return names.get(network.name)


def builder(name: str) -> Callable[..., keras.Model]:
    """Return the function that builds the network ``name``, a key of the registry.

    It takes the seed, the precision and the class of the convolutions.
    """
    module, settings = NETWORKS[name]
    build = importlib.import_module(f"rts_tf.networks.{module}").build
    return functools.partial(build, **settings)
