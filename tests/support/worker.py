"""One worker of the cluster in tests/training/test_phase_a.py (TF_CONFIG).

It trains two networks and writes their weights to a path.
"""

import sys

import numpy as np

from rts_tf.training.cluster import connect
from rts_tf.training.phase_a import fit
from rts_tf.training.trainer import Trainer
from tests.support.training import CONFIG, NORMALIZED, batches, start

if __name__ == "__main__":
    path, workers = sys.argv[1], connect()
    weights = []
    for config in (CONFIG, NORMALIZED):
        trainer = Trainer(config, workers.strategy)
        directory = f"{path}.{config.network}"
        weights += fit(trainer, start(config), batches, 6, directory, workers=workers).weights
    np.savez(path, *weights)
