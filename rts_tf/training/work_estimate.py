"""The work of the phases of a run in GFLOP, from which the time left is estimated."""

import keras

from rts_tf import networks
from rts_tf.config import Config
from rts_tf.data.shards import ShardSet

MEASURE_WORK = 300.0  # GFLOP that take about as long as VIQET takes for one image


class NetworkWork:
    """The work of one network."""

    def __init__(self, network: keras.Model):
        self._per_pixel = 2 * networks.macs_per_pixel(network) / 1e9

    def of_step(self, config: Config) -> float:
        """GFLOP of a training step: a forward pass, and a backward pass of twice the work."""
        return 3 * self._per_pixel * (config.patch // 2) ** 2 * config.batch

    def of_image(self, height: int, width: int) -> float:
        """GFLOP of Phase B on one image."""
        return self._per_pixel * height * width

    def of_images(self, source: ShardSet) -> float:
        """GFLOP of Phase B on all images of ``source``."""
        return sum(self.of_image(height, width) for height, width in source.sizes.values())
