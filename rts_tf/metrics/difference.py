"""Measure how much a stage changes an image (sections 3.2, 3.4 and 4.2 of the paper).

Images are arrays of any floating point type and the nominal range [0, 1].
"""

import numpy as np


def change_percent(a: np.ndarray, b: np.ndarray) -> float:
    """The mean absolute difference of two images, in percent of full scale.

    If ``b`` is HR_0, this is the "difference ratio" of Table 1. If ``a`` is HR_{n+1} and ``b`` is
    HR_n, it is the change of section 3.4.
    """
    return 100 * float(np.abs(a.astype(np.float32) - b.astype(np.float32)).mean(dtype=np.float64))


def drift_levels(hr_n: np.ndarray, hr_0: np.ndarray) -> float:
    """The mean brightness of HR_n minus that of HR_0, in 8-bit levels."""
    return 255 * float((hr_n.astype(np.float32) - hr_0.astype(np.float32)).mean(dtype=np.float64))


def alpha(hr_n: np.ndarray, y: np.ndarray, y_blurred: np.ndarray) -> float:
    """Estimate alpha of eq. 12, HR_1 = y + alpha (y - U(D(y))), by least squares.

    Args:
        hr_n: HR_n.
        y: The original image, of the same shape.
        y_blurred: U(D(y)), of the same shape.

    Returns:
        alpha; 0 if the original image has no detail, so that U(D(y)) equals it.
    """
    y = y.astype(np.float64)
    return least_squares_factor(hr_n - y, y - y_blurred)


def least_squares_factor(a: np.ndarray, b: np.ndarray) -> float:
    """The factor f that minimizes the mean square of a - f * b; 0 if ``b`` is zero everywhere."""
    a, b = (array.astype(np.float64).ravel() for array in (a, b))
    energy = float(b @ b)
    return float(b @ a) / energy if energy else 0.0
