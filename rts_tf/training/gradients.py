"""The sum of the gradients over all replicas, in one collective operation a step.

Keras sums every array by an operation of its own, and in each of them the workers wait for each
other once more.
"""

from collections.abc import Iterable

import keras
import tensorflow as tf


def summed(loss: tf.Tensor, gradients: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Return the sums of the loss and of each gradient over all replicas.

    Call it in a function that ``strategy.run`` runs. All arguments are float32.

    Args:
        loss: The share of this replica in the loss, a scalar.
        gradients: Those of the loss.
    """
    replica = tf.distribute.get_replica_context()
    if replica.num_replicas_in_sync == 1:
        return loss, gradients
    arrays = [loss, *gradients]
    packed = tf.concat([tf.reshape(array, [-1]) for array in arrays], 0)
    parts = tf.split(
        replica.all_reduce(tf.distribute.ReduceOp.SUM, packed),
        [array.shape.num_elements() for array in arrays],
    )
    first, *others = (
        tf.reshape(part, array.shape) for part, array in zip(parts, arrays, strict=True)
    )
    return first, others


class AdamOfSums(keras.optimizers.Adam):
    """Adam whose ``apply_gradients`` takes gradients that are summed over all replicas already."""

    def aggregate_gradients(self, grads_and_vars: Iterable[tuple]) -> list[tuple]:
        """What Keras 2 calls to sum the gradients."""
        return list(grads_and_vars)

    def _all_reduce_sum_gradients(self, grads_and_vars: Iterable[tuple]) -> list[tuple]:
        """What Keras 3 calls, which has no public way (tests/training/test_gradients.py)."""
        return list(grads_and_vars)
