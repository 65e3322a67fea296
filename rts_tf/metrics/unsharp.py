"""The unsharp mask, the rival that any sharpening has to beat, and the amount of it that reaches a given score."""

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.interpolate import PchipInterpolator

SIGMA = 1.0  # pixels
AMOUNTS = (0.4, 0.9, 1.7, 3.0)  # where its score is measured; about 0.8 scores like HR_3


def unsharp_mask(picture: np.ndarray, amount: float) -> np.ndarray:
    """x + amount * (x - Gaussian(x)), sigma 1. Float32 [H, W, C], not clipped."""
    picture = np.asarray(picture, np.float32)
    return picture + np.float32(amount) * (
        picture - cv2.GaussianBlur(picture, (0, 0), SIGMA, borderType=cv2.BORDER_REFLECT)
    )


def amount_of_score(amounts: Sequence[float], scores: Sequence[float], wanted: float) -> float:
    """The amount at which the mask's score is ``wanted``, by monotone cubic interpolation between the measured ones.

    Args:
        amounts: from 0 up; ``scores``: of the mask of each.

    Returns:
        nan where no amount measured reaches it, 0 where the original does.
    """
    rising = next((i for i in range(1, len(scores)) if scores[i] <= scores[i - 1]), len(scores))
    amounts, scores = amounts[:rising], scores[:rising]
    if wanted <= scores[0]:
        return 0.0
    if wanted > scores[-1]:
        return float("nan")
    return float(PchipInterpolator(scores, amounts)(wanted))
