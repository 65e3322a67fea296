"""A process with two devices (tests/training/test_phase_a.py): it trains on both of them.

It writes the weights of the network to a path.
"""

import sys

import numpy as np

from rts_tf.training.cluster import LocalGpus
from rts_tf.training.phase_a import fit
from rts_tf.training.trainer import Trainer
from tests.support.training import CONFIG, batches, start
from tests.support.two_devices import strategy

if __name__ == "__main__":
    path, workers = sys.argv[1], LocalGpus(strategy())
    trainer = Trainer(CONFIG, workers.strategy)
    fitted = fit(trainer, start(), batches, 6, path + ".checkpoint", workers=workers)
    np.savez(path, *fitted.weights)
