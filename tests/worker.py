"""One worker of tests/test_training.py's cluster (TF_CONFIG): trains, and writes its weights to the path given."""

import sys

import numpy as np
import tensorflow as tf

strategy = tf.distribute.MultiWorkerMirroredStrategy()  # before anything else touches TensorFlow

from rts_tf.training import fit  # noqa: E402
from tests.test_training import CONFIG, batches, start  # noqa: E402


def sharded(first: int) -> tf.data.Dataset:
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return batches(first).with_options(options)


if __name__ == "__main__":
    path = sys.argv[1]
    np.savez(path, *fit(CONFIG, start(), sharded, 6, path + ".checkpoint", strategy=strategy).weights)
