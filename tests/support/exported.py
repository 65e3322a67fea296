"""A network as TFLite files in every precision, for the tests of the export and of the runner."""

import functools

import numpy as np

from rts_tf.export.calibration import mosaic, sample_crops
from rts_tf.export.tflite import Converter
from tests.support.networks import random_network

SIZE = 50, 66  # height and width of the files' input
NETWORK = random_network("residual1")
_kernel, _bias = NETWORK.layers[-2].get_weights()
# One bias for each colour, as int16x8 has it; in a trained network it is nearly so.
NETWORK.layers[-2].set_weights([_kernel, np.tile(_bias[:3], 4)])
CROPS = sample_crops()
FRAME = mosaic(CROPS.validation, *SIZE)

_CONVERTER = Converter(NETWORK, [crop[:64, :64] for crop in CROPS.calibration[:12]])


@functools.cache
def converted(head: str, precision: str, size: tuple[int, int] = SIZE) -> bytes:
    """The TFLite file of a head of ``NETWORK`` for an input of ``size``."""
    return _CONVERTER.convert(head, precision, *size)
