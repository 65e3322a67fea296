"""Networks that are shared by many tests: small ones of this package, away from their start."""

import keras
import numpy as np

from rts_tf import networks


def random_network(name: str) -> keras.Model:
    """A network every weight of which matters: its start, which is full of zeros, plus noise."""
    network, random = networks.build(name), np.random.default_rng(7)
    network.set_weights([w + random.normal(0, 0.01, w.shape) for w in network.get_weights()])
    if name == "srresnet":  # the statistics of its batch normalisation, as after training
        for _ in range(12):
            network(random.random((2, 16, 16, 3)).astype(np.float32), training=True)
    return network


NETWORKS = {name: random_network(name) for name in ("residual1", "residual3", "residual6")}
