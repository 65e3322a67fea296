"""The unsharp mask, the baseline that any sharpening has to beat, and how to match its score.

:mod:`rts_tf.metrics.baseline` compares an enhanced image with the unsharp mask of equal MOS.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.interpolate import PchipInterpolator

SIGMA = 1.0  # pixels
AMOUNTS = (0.4, 0.9, 1.7, 3.0)  # at which the score is measured; HR_3 scores like about 0.8


def unsharp_mask(image: np.ndarray, amount: float) -> np.ndarray:
    """Sharpen an image: x + amount * (x - Gaussian(x)), with a Gaussian of SIGMA.

    Args:
        image: [H, W, C] in any scale; it is converted to float32.
        amount: 0 leaves the image as it is.

    Returns:
        float32 [H, W, C], not clipped.
    """
    image = np.asarray(image, np.float32)
    blurred = cv2.GaussianBlur(image, (0, 0), SIGMA, borderType=cv2.BORDER_REFLECT)
    return image + np.float32(amount) * (image - blurred)


def amount_of_score(amounts: Sequence[float], scores: Sequence[float], wanted: float) -> float:
    """Find the amount at which the score of the unsharp mask is ``wanted``.

    The score is interpolated between the measured ones by a monotone cubic, up to its first
    maximum.

    Args:
        amounts: Rising, the first one 0.
        scores: The score of the unsharp mask at each amount; the first one is the original's.
        wanted: The score to reach.

    Returns:
        The amount; 0 if the original reaches the score, and nan if no measured amount does.
    """
    rising = next((i for i in range(1, len(scores)) if scores[i] <= scores[i - 1]), len(scores))
    amounts, scores = amounts[:rising], scores[:rising]
    if wanted <= scores[0]:
        return 0.0
    if wanted > scores[-1]:
        return float("nan")
    return float(PchipInterpolator(scores, amounts)(wanted))
