"""One worker of the cluster in tests/training/test_phase_a.py (TF_CONFIG).

It trains two networks and writes their weights to a path.
"""

import sys

import numpy as np
import tensorflow as tf

strategy = tf.distribute.MultiWorkerMirroredStrategy()  # before anything else touches TensorFlow

from rts_tf.training.phase_a import fit  # noqa: E402
from rts_tf.training.trainer import Trainer  # noqa: E402
from tests.support.training import CONFIG, NORMALIZED, batches, start  # noqa: E402

if __name__ == "__main__":
    path = sys.argv[1]
    weights = []
    for config in (CONFIG, NORMALIZED):
        trainer = Trainer(config, strategy)
        directory = f"{path}.{config.network}"
        weights += fit(trainer, start(config), batches, 6, directory).weights
    np.savez(path, *weights)
