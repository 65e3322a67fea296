"""One worker of the cluster in tests/training/test_phase_a.py (TF_CONFIG).

It trains two networks and writes their weights to a path.
"""

import sys

import numpy as np
import tensorflow as tf

strategy = tf.distribute.MultiWorkerMirroredStrategy()  # before anything else touches TensorFlow

from rts_tf.training.phase_a import fit  # noqa: E402
from tests.support.training import CONFIG, NORMALIZED, batches, start  # noqa: E402

if __name__ == "__main__":
    path = sys.argv[1]
    fitted = fit(CONFIG, start(), batches, 6, path + ".checkpoint", strategy=strategy)
    normalized = fit(
        NORMALIZED, start(NORMALIZED), batches, 6, path + ".normalized", strategy=strategy
    )
    np.savez(path, *fitted.weights, *normalized.weights)
