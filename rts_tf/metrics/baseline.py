"""What sharpness costs a picture, beside what the same MOS costs when bought with an unsharp mask. Arrays alone."""

import math

import numpy as np

from rts_tf.images.dtypes import to_uint8
from rts_tf.metrics.artifacts import Artifacts, measure_artifacts
from rts_tf.metrics.unsharp import AMOUNTS, amount_of_score, unsharp_mask
from rts_tf.metrics.viqet import measure


def unsharp_scores(original: np.ndarray, mos_raw: float) -> list[float]:
    """``mos_raw``, that of ``original`` (float32 [H, W, 3] in [0, 1]), and those of its masks in 8 bits, by AMOUNTS."""
    return [
        mos_raw,
        *(measure(to_uint8(unsharp_mask(original, amount))).mos_raw for amount in AMOUNTS),
    ]


def compare_with_unsharp(
    picture: np.ndarray, original: np.ndarray, mos_raw: float, scores: list[float]
) -> dict[str, float]:
    """Artifacts of ``picture`` and of its rival.

    Args:
        picture, original: float32 [H, W, 3] of nominal range [0, 1].
        mos_raw: of ``picture``.
        scores: ``unsharp_scores`` of the original.

    Returns:
        ``mos_gain``, raw MOS above that of the original; the fields of Artifacts; ``unsharp_amount`` of the mask of equal
        raw MOS, and its naturalness with ``unsharp_`` before each name: nan where no mask reaches it.
    """
    amount = amount_of_score((0.0, *AMOUNTS), scores, mos_raw)
    rival = (
        measure_artifacts(unsharp_mask(original, amount), original)
        if math.isfinite(amount)
        else Artifacts(*[math.nan] * 4)
    )
    found = {
        "mos_gain": mos_raw - scores[0],
        **measure_artifacts(picture, original)._asdict(),
        "unsharp_amount": amount,
    }
    return found | {f"unsharp_{key}": value for key, value in rival._asdict().items()}
