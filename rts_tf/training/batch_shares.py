"""The shares of a batch: each replica (a worker, or one of its GPUs) computes a part of it."""

import functools
import itertools
from collections.abc import Iterable

import tensorflow as tf

from rts_tf.config import Config
from rts_tf.errors import ConfigError
from rts_tf.workers import Workers


def check_share(config: Config, workers: Workers) -> None:
    """Check that every replica gets a share of a batch.

    Raises:
        ConfigError: There are more replicas than patches in a batch.
    """
    replicas = _replicas(workers)
    if config.batch < replicas:
        raise ConfigError(
            f"`batch`={config.batch}: must be at least {replicas}, since so many workers and GPUs"
            " share out each batch."
        )


def _replicas(workers: Workers) -> int:
    return workers.strategy.num_replicas_in_sync if workers.strategy else 1


def shared_out(
    batches: tf.data.Dataset, batch: int, workers: Workers
) -> Iterable[tuple[tf.Tensor, ...]]:
    """``batches``, which are endless, with a share of each for every replica, as equal as can be.

    TensorFlow's own division of a batch of 4 by 3 is 2, 2 and 0.
    """
    replicas = _replicas(workers)
    if replicas == 1:
        return batches
    here = replicas // workers.count
    bounds = [batch * number // replicas for number in range(replicas + 1)]
    first = here * workers.number
    own = list(itertools.pairwise(bounds[first : first + here + 1]))

    def of_replica(low: int, high: int, *arrays: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return tuple(array[low:high] for array in arrays)

    if here == 1:
        # The iterator of a strategy takes milliseconds more for each step (WORKSPACE_NOTES.md).
        return batches.map(functools.partial(of_replica, *own[0])).prefetch(2)

    def shares(*arrays: tf.Tensor) -> tf.data.Dataset:
        each = (tf.data.Dataset.from_tensors(of_replica(*part, *arrays)) for part in own)
        return functools.reduce(tf.data.Dataset.concatenate, each)

    # The workers would ask each other before each step whether one has reached the end.
    endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
    shared = batches.flat_map(shares).apply(endless).prefetch(2 * here)
    return workers.strategy.distribute_datasets_from_function(lambda context: shared)
