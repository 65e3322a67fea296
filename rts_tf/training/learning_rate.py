"""The learning rate of Phase A over the steps of a stage."""

import math

import keras
import tensorflow as tf

_LAST = 0.01  # share of the highest rate that is left at the end of a cosine


class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that is constant (section 4.1), or that warms up and then falls as a cosine.

    It is that of ``keras.optimizers.schedules``, but for a number of steps that can change: a
    schedule of Keras is a constant of the graph, so each stage would have to be traced anew.

    Attributes:
        steps: The steps of the stage, an int64 variable of at least 1.
    """

    def __init__(self, rate: float, schedule: str, warmup: int):
        """The settings ``learning_rate``, ``schedule`` and ``warmup`` of a run."""
        self._rate, self._schedule, self._warmup = rate, schedule, warmup
        self.steps = tf.Variable(1, trainable=False, dtype=tf.int64)

    def __call__(self, step: int | tf.Tensor) -> tf.Tensor:
        """The rate of the step that follows ``step`` steps, a float32 scalar."""
        if self._schedule == "constant":
            return tf.constant(self._rate)
        warmup = tf.minimum(tf.constant(self._warmup, tf.int64), self.steps // 2)
        falling = tf.cast(tf.maximum(tf.constant(1, tf.int64), self.steps - warmup), tf.float32)
        done, warmup = tf.cast(step, tf.float32), tf.cast(warmup, tf.float32)
        rising_rate = self._rate * (done + 1) / (warmup + 1)
        share = tf.minimum((done - warmup) / falling, 1.0)
        cosine = 0.5 * (1 + tf.cos(math.pi * share))
        return tf.where(done < warmup, rising_rate, self._rate * ((1 - _LAST) * cosine + _LAST))

    def get_config(self) -> dict:
        """The settings of the schedule, which Keras 2 asks every schedule to have."""
        return {"rate": self._rate, "schedule": self._schedule, "warmup": self._warmup}
