"""Compare an enhanced image with its baseline, the unsharp mask that reaches the same MOS.

Any sharpening raises MOS. So the artifacts of the enhanced image are reported beside those that the
same MOS costs when it is bought with an unsharp mask.
"""

import math

import numpy as np

from rts_tf.images.dtypes import to_uint8
from rts_tf.metrics.artifacts import Artifacts, measure_artifacts
from rts_tf.metrics.unsharp import AMOUNTS, amount_of_score, unsharp_mask
from rts_tf.metrics.viqet import measure


def unsharp_scores(original: np.ndarray, mos_raw: float) -> list[float]:
    """Measure the raw MOS of unsharp masks of an image, at 0 and at each of AMOUNTS.

    Args:
        original: float32 [H, W, 3] in [0, 1]. The sharpened images are rounded to 8 bits.
        mos_raw: The raw MOS of ``original``, which is the score at 0.

    Returns:
        ``len(AMOUNTS) + 1`` scores.
    """
    sharpened = (to_uint8(unsharp_mask(original, amount)) for amount in AMOUNTS)
    return [mos_raw, *(measure(image).mos_raw for image in sharpened)]


def compare_with_unsharp(
    image: np.ndarray, original: np.ndarray, mos_raw: float, scores: list[float]
) -> dict[str, float]:
    """Measure the artifacts of an enhanced image and of the unsharp mask of equal raw MOS.

    Args:
        image: float32 [H, W, 3] of the nominal range [0, 1], not clipped.
        original: The same shape, in [0, 1].
        mos_raw: The raw MOS of ``image``.
        scores: The result of :func:`unsharp_scores` for the original.

    Returns:
        ``mos_gain``, the raw MOS above that of the original; the fields of
        :class:`rts_tf.metrics.artifacts.Artifacts`; ``unsharp_amount``, the amount of the unsharp
        mask of equal raw MOS; and its artifacts, with ``unsharp_`` before each name. The last two
        are nan if no unsharp mask reaches the MOS.
    """
    amount = amount_of_score((0.0, *AMOUNTS), scores, mos_raw)
    baseline = Artifacts(math.nan, math.nan, math.nan, math.nan)
    if math.isfinite(amount):
        baseline = measure_artifacts(unsharp_mask(original, amount), original)
    return {
        "mos_gain": mos_raw - scores[0],
        **measure_artifacts(image, original)._asdict(),
        "unsharp_amount": amount,
        **{f"unsharp_{key}": value for key, value in baseline._asdict().items()},
    }
