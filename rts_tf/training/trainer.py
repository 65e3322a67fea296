"""What Phase A trains with: the network, its optimizer, and the step that updates both."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rts_tf import networks
from rts_tf.config import Config
from rts_tf.networks.precision import convolution
from rts_tf.training.gradients import AdamOfSums, summed
from rts_tf.training.learning_rate import LearningRate

_LOSS_MEMORY = 0.98


class Trainer:
    """A network that can be trained again and again, each time from other weights.

    So TensorFlow traces the step once for all stages of a run.

    Attributes:
        config: The network, precision (resolved, not ``"auto"``), learning rate and so on.
        strategy: Where the step runs.
        network: The network that is trained.
        learning_rate: A function of the number of steps that are done.
        done: The number of steps that are done, an int64 variable.
        running_loss: The running mean of the loss over about the last 50 steps, a float32 variable.
        seconds: The time that the steps took, a float64 variable.
        step: A function of (lr, target), or of (lr, target, weight of each pixel), that updates the
            network, ``done`` and ``running_loss``.
    """

    def __init__(
        self,
        config: Config,
        strategy: tf.distribute.Strategy | None = None,
        build: Callable[[], keras.Model] | None = None,
    ):
        """
        Args:
            strategy: Where to run; TensorFlow's default if it is None.
            build: Makes the network, if it is not the one that ``config`` names.
        """
        self.config, self.strategy = config, strategy or tf.distribute.get_strategy()
        with self.strategy.scope():
            self.network = build() if build else _network(config)
            self.learning_rate = LearningRate(config.learning_rate, config.schedule, config.warmup)
            self._optimizer = self._new_optimizer()
        types = tf.int64, tf.float32, tf.float64
        self.done, self.running_loss, self.seconds = (
            tf.Variable(0, False, dtype=dtype) for dtype in types
        )
        train = _make_step(self.network, self._optimizer, config.batch, self.strategy)
        self.step = _counted(train, self.done, self.running_loss)

    def start(self, weights: list[np.ndarray], steps: int) -> None:
        """Begin a training of ``steps`` steps from ``weights``: nothing is left of one before."""
        with self.strategy.scope():
            self.network.set_weights(weights)
            new = self._new_optimizer()  # its averages begin with the weights
        for own, initial in zip(self._optimizer.variables, new.variables, strict=True):
            own.assign(initial.numpy())
        self.learning_rate.steps.assign(steps)
        for variable in (self.done, self.running_loss, self.seconds):
            variable.assign(0)

    @property
    def state(self) -> dict[str, Any]:
        """Everything that changes in a training, for :class:`tf.train.Checkpoint`."""
        return {
            "done": self.done,
            "running_loss": self.running_loss,
            "seconds": self.seconds,
            "network": self.network,
            "optimizer": self._optimizer,
        }

    def take_averages(self) -> None:
        """Give the network the averages of its weights that ``config.ema`` asks for."""
        self._optimizer.finalize_variable_values(self.network.trainable_variables)

    def _new_optimizer(self) -> AdamOfSums:
        ema = self.config.ema
        average = {"use_ema": True, "ema_momentum": ema} if ema else {}
        optimizer = AdamOfSums(self.learning_rate, **average)
        optimizer.build(self.network.trainable_variables)
        return optimizer


def _network(config: Config) -> keras.Model:
    conv2d = convolution(config.precision)
    return networks.build(config.network, config.seed, config.precision, conv2d)


def _make_step(
    network: keras.Model,
    optimizer: AdamOfSums,
    batch: int,
    strategy: tf.distribute.Strategy,
) -> Callable[..., tf.Tensor]:
    """Make the function that updates ``network`` once.

    Returns:
        A function of (lr, target), or of (lr, target, weight of each pixel), ``batch`` images over
        all replicas, that returns the loss.
    """

    def replica_step(lr: tf.Tensor, target: tf.Tensor, *weight: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            error = tf.square(_middle(network(lr, training=True), target) - target)
            for of_pixel in weight:
                error *= of_pixel
            # The mean over the global batch: the sum over replicas is the loss of section 4.1.
            loss = tf.reduce_sum(tf.reduce_mean(error, axis=[1, 2, 3])) / batch
        loss, gradients = summed(loss, tape.gradient(loss, network.trainable_variables))
        optimizer.apply_gradients(zip(gradients, network.trainable_variables))
        return loss

    def step(*batch: tf.Tensor) -> tf.Tensor:
        losses = strategy.run(replica_step, args=batch)
        return strategy.experimental_local_results(losses)[0]  # every replica has the same

    return tf.function(step, autograph=False)


def _counted(
    train: Callable[..., tf.Tensor], done: tf.Variable, running_loss: tf.Variable
) -> Callable[..., None]:
    """``train`` with the number of its steps and the running mean of its loss in variables."""

    def step(*batch: tf.Tensor) -> None:
        loss = train(*batch)
        memory = tf.minimum(_LOSS_MEMORY, tf.cast(done / (done + 1), tf.float32))
        running_loss.assign(memory * running_loss + (1 - memory) * loss)
        done.assign_add(1)

    return tf.function(step, autograph=False)


def _middle(output: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """The middle of ``output``, where the target is smaller: the rest has seen padding."""
    margin = (output.shape[1] - target.shape[1]) // 2
    return output[:, margin:-margin, margin:-margin] if margin else output
