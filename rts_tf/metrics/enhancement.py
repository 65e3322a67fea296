"""Measures what an enhancement did to an image: change, drift, MOS, and the cost of sharpness."""

import numpy as np

from rts_tf.images.dtypes import to_float, to_uint8
from rts_tf.metrics.artifacts import measure_artifacts
from rts_tf.metrics.baseline import compare_with_unsharp, unsharp_scores
from rts_tf.metrics.difference import change_percent, drift_levels
from rts_tf.metrics.viqet import measure


def measure_enhancement(
    enhanced: np.ndarray, original: np.ndarray, with_mos: bool = True
) -> dict[str, float]:
    """Measure an enhanced image against its original (sections 4.2 and 4.4).

    Change, drift and artifacts are those of ``enhanced`` as computed, as in the tables of a run.
    The MOS is that of 8 bits.

    Args:
        enhanced: float32 [H, W, 3], nominally in [0, 1], not clipped.
        original: uint8 [H, W, 3], at least 32 pixels a side.
        with_mos: Measure VIQET's MOS, which takes most of the time, and compare with the unsharp
            mask of equal MOS.

    Returns:
        ``resolution`` in megapixels, ``difference_ratio_percent`` and ``brightness_drift_levels``.
        With MOS: ``mos_raw_before``, ``mos_raw_after`` and the result of
        :func:`rts_tf.metrics.baseline.compare_with_unsharp`; else the fields of
        :class:`rts_tf.metrics.artifacts.Artifacts`.

    Raises:
        ImageError: VIQET cannot measure so long and narrow an image.
    """
    hr_0 = to_float(original)
    found = {
        "resolution": original.shape[0] * original.shape[1] / 1e6,
        "difference_ratio_percent": change_percent(enhanced, hr_0),
        "brightness_drift_levels": drift_levels(enhanced, hr_0),
    }
    if not with_mos:
        return found | measure_artifacts(enhanced, hr_0)._asdict()
    before, after = (measure(image).mos_raw for image in (original, to_uint8(enhanced)))
    found |= {"mos_raw_before": before, "mos_raw_after": after}
    return found | compare_with_unsharp(enhanced, hr_0, after, unsharp_scores(hr_0, before))
