"""A process with two devices (tests/training/test_phase_a.py): it trains on both of them.

It writes the weights of the network to a path. The devices are two halves of the CPU.
"""

import sys

import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from rts_tf.training.cluster import LocalGpus  # noqa: E402
from rts_tf.training.phase_a import fit  # noqa: E402
from tests.support.training import CONFIG, batches, start  # noqa: E402

if __name__ == "__main__":
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    path, workers = sys.argv[1], LocalGpus(strategy)
    assert strategy.num_replicas_in_sync == 2
    fitted = fit(CONFIG, start(), batches, 6, path + ".checkpoint", workers=workers)
    np.savez(path, *fitted.weights)
