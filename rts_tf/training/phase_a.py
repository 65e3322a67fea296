"""Phase A (section 3.1): SR_n = argmin ||HR_{n-1} - SR(LR)||^2, one strategy.run loop for one process or many.

The whole state (weights, optimiser, step, running loss) goes into an atomic checkpoint every few hundred steps. The data
are a pure function of the step, so a run that was killed continues to the same weights, bit for bit on a CPU.
"""

import itertools
import math
import pathlib
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from rts_tf import networks
from rts_tf.config import Config
from rts_tf.errors import Interrupted, TrainingDiverged
from rts_tf.networks.precision import convolution
from rts_tf.training import checkpoints

REPORT_EVERY = 10  # steps between looks at the loss; each look waits for the device
STATISTICS_STEPS = 50  # with a momentum of 0.9 nothing of the old statistics is left
_LOSS_MEMORY = 0.98


class Fitted(NamedTuple):
    """What Phase A gives: the weights, the running mean of the loss over about the last 50 steps, and the time taken."""

    weights: list[np.ndarray]
    loss: float
    seconds: float


def fit(
    config: Config,
    start: list[np.ndarray],
    batches: Callable[[int], tf.data.Dataset],
    steps: int,
    directory: pathlib.Path,
    on_report: Callable[[int, float, float], None] = lambda step, loss, rate: None,
    strategy: tf.distribute.Strategy | None = None,
) -> Fitted:
    """Train a network for ``steps`` steps from the weights ``start``, or from the last checkpoint in ``directory``.

    Args:
        config: network, precision (resolved, not "auto"), learning rate, schedule, moving average, checkpoints.
        batches: gives the endless data set from a step on (:func:`rts_tf.data.patches.training_batches`).
        directory: for the checkpoints.
        on_report: called at the start and after every few steps with (steps done, running loss, learning rate). May
            raise Interrupted: the state is saved first.
        strategy: where to run; default: ``tf.distribute.get_strategy()``.

    Raises:
        TrainingDiverged: the loss or a weight is not finite; the last checkpoint is from before.
    """
    strategy = strategy or tf.distribute.get_strategy()
    with strategy.scope():
        network = networks.build(
            config.network, config.seed, config.precision, convolution(config.precision)
        )
        network.set_weights(start)
        schedule = learning_rate_schedule(config, steps)
        average = {"use_ema": True, "ema_momentum": config.ema} if config.ema else {}
        optimizer = keras.optimizers.Adam(schedule, **average)
        optimizer.build(network.trainable_variables)
    done = tf.Variable(0, dtype=tf.int64, trainable=False)
    running_loss = tf.Variable(0.0, trainable=False)
    seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)
    parts = {
        "network": network,
        "optimizer": optimizer,
        "done": done,
        "running_loss": running_loss,
        "seconds": seconds,
    }
    checkpoint = tf.train.Checkpoint(**parts)
    checkpoints.mend_list(pathlib.Path(directory))
    manager = tf.train.CheckpointManager(checkpoint, str(directory), max_to_keep=2)
    checkpoints.restore(checkpoint, manager)

    train = make_step(network, optimizer, config.batch, strategy)

    @tf.function
    def step(lr, target):
        loss = train(lr, target)
        memory = tf.minimum(_LOSS_MEMORY, tf.cast(done / (done + 1), tf.float32))
        running_loss.assign(memory * running_loss + (1 - memory) * loss)
        done.assign_add(1)

    first = int(done)
    began = time.monotonic() - float(seconds)
    on_report(first, float(running_loss), float(schedule(first)))
    data = iter(strategy.experimental_distribute_dataset(batches(first)))
    for number in range(first + 1, steps + 1):
        step(*next(data))
        save = number % config.checkpoint_every == 0 or number == steps
        if save or number % REPORT_EVERY == 0:
            _check_finite(number, float(running_loss), network if save else None)
            seconds.assign(time.monotonic() - began)
            if save:
                checkpoints.save(manager, number)
            try:
                on_report(number, float(running_loss), float(schedule(number)))
            except Interrupted:
                if not save:  # never write over the newest checkpoint
                    _check_finite(number, float(running_loss), network)
                    checkpoints.save(manager, number)
                raise
    if config.ema:
        optimizer.finalize_variable_values(network.trainable_variables)
        _settle_statistics(network, strategy, data)
    return Fitted(network.get_weights(), float(running_loss), float(seconds))


def make_step(
    network: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    batch: int,
    strategy: tf.distribute.Strategy,
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """One update of ``network``: a function of (lr, target), ``batch`` pictures over all replicas, that gives the loss."""

    def replica_step(lr, target):
        with tf.GradientTape() as tape:
            error = tf.square(network(lr, training=True) - target)
            # The mean over the global batch: the sum over replicas is the loss of section 4.1.
            loss = tf.reduce_sum(tf.reduce_mean(error, axis=[1, 2, 3])) / batch
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables))
        return loss

    return tf.function(
        lambda lr, target: strategy.reduce(
            "SUM", strategy.run(replica_step, args=(lr, target)), axis=None
        )
    )


def _settle_statistics(
    network: keras.Model, strategy: tf.distribute.Strategy, data: Iterator
) -> None:
    """Measure the statistics of batch normalisation anew: those there are belong to other weights than the averaged ones."""
    if not any(isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers):
        return
    look = tf.function(
        lambda lr: strategy.run(lambda images: network(images, training=True), args=(lr,))
    )
    for lr, _ in itertools.islice(data, STATISTICS_STEPS):
        look(lr)


def learning_rate_schedule(config: Config, steps: int) -> Callable:
    """Learning rate over the ``steps`` of a stage: constant (section 4.1), or warm-up then cosine to a hundredth."""
    if config.schedule == "constant":
        return keras.optimizers.schedules.PiecewiseConstantDecay(
            [steps], [config.learning_rate] * 2
        )
    warmup = min(config.warmup, steps // 2)
    rising = {"warmup_target": config.learning_rate, "warmup_steps": warmup} if warmup else {}
    return keras.optimizers.schedules.CosineDecay(
        config.learning_rate / (warmup + 1) if warmup else config.learning_rate,
        max(1, steps - warmup),
        0.01,
        **rising,
    )


def _check_finite(step: int, loss: float, network: keras.Model | None) -> None:
    weights = network.get_weights() if network else []
    if not math.isfinite(loss) or not all(np.isfinite(array).all() for array in weights):
        raise TrainingDiverged(
            f"the loss or a weight is not finite at step {step}; the last good state is kept. Start a run with a lower"
            " --learning_rate in another --workdir, or with --precision=float32."
        )
