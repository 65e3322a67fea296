"""Small settings and synthetic batches for the tests of training."""

import dataclasses
import functools

import numpy as np
import tensorflow as tf

from rts_tf import networks
from rts_tf.config import Config, preset
from rts_tf.training.trainer import Trainer

# A run of seconds on small images.
SMALL_RUN = {
    "network": "residual1",
    "first_steps": 60,
    "later_steps": 30,
    "patch": 32,
    "batch": 4,
    "images_per_shard": 2,
    "warmup": 5,
    "precision": "float32",
}
# For Phase A alone.
CONFIG = preset(
    "quick",
    network="residual1",
    precision="float32",
    patch=32,
    batch=4,
    warmup=3,
    checkpoint_every=5,
    learning_rate=2e-3,
)
NORMALIZED = dataclasses.replace(CONFIG, network="tests.support.normalized_network:build", ema=0.9)


def batches(first: int) -> tf.data.Dataset:
    """Batch k is a pure function of k: noise and its bicubic enlargement, sharpened."""

    def make(k):
        lr = tf.random.stateless_uniform([4, 16, 16, 3], tf.stack([k, 1]))
        return lr, 1.5 * tf.image.resize(lr, (32, 32), method="bicubic") - 0.25

    return tf.data.Dataset.range(first, 10**6).map(make)


@functools.cache  # so that TensorFlow traces its step once
def trainer(config: Config = CONFIG) -> Trainer:
    """What the network of ``config`` is trained with."""
    return Trainer(config)


def start(config=CONFIG) -> list[np.ndarray]:
    """The weights that the network of ``config`` starts from."""
    return networks.build(config.network, 1).get_weights()
