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
    replicas = workers.strategy.num_replicas_in_sync if workers.strategy else 1
    if config.batch < replicas:
        raise ConfigError(
            f"`batch`={config.batch}: must be at least {replicas}, since so many workers and GPUs"
            " share out each batch."
        )


def shared_out(
    batches: tf.data.Dataset, batch: int, strategy: tf.distribute.Strategy
) -> Iterable[tuple[tf.Tensor, ...]]:
    """``batches``, which are endless, with a share of each for every replica, as equal as can be.

    TensorFlow's own division of a batch of 4 by 3 is 2, 2 and 0.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return batches

    def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
        here = replicas // context.num_input_pipelines
        first = here * context.input_pipeline_id
        bounds = [batch * number // replicas for number in range(first, first + here + 1)]

        def shares(*arrays: tf.Tensor) -> tf.data.Dataset:
            cut = (tuple(a[low:high] for a in arrays) for low, high in itertools.pairwise(bounds))
            return functools.reduce(
                tf.data.Dataset.concatenate, map(tf.data.Dataset.from_tensors, cut)
            )

        # The workers would ask each other before each step whether one has reached the end.
        endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
        return batches.flat_map(shares).apply(endless).prefetch(2 * here)

    return strategy.distribute_datasets_from_function(of_worker)
