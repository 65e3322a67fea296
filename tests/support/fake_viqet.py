"""A stand-in for VIQET, which takes half a second an image and has tests of its own."""

import numpy as np

from rts_tf.metrics.viqet import Quality


def sharpness(image: np.ndarray) -> float:
    """What stands for the MOS: a tenth of the mean vertical gradient in levels."""
    return float(np.abs(np.diff(image.astype(float), axis=0)).mean()) / 10


def fake_measure(image: np.ndarray) -> Quality:
    """In place of ``rts_tf.metrics.viqet.measure``."""
    assert image.dtype == np.uint8
    return Quality(*[1.0] * 3, float("nan"), *[1.0] * 7, mos=2.0, mos_raw=sharpness(image))
