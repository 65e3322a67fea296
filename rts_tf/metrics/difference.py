"""How much a stage changes pictures (sections 3.2, 3.4 and 4.2). Arrays alone; values nominally in [0, 1]."""

import numpy as np


def change_percent(a: np.ndarray, b: np.ndarray) -> float:
    """mean|a - b| in percent of full scale: the "difference ratio" of Table 1 where b is HR_0."""
    return 100 * float(np.abs(a.astype(np.float32) - b.astype(np.float32)).mean(dtype=np.float64))


def drift_levels(hr_n: np.ndarray, hr_0: np.ndarray) -> float:
    """Mean brightness of HR_n minus that of HR_0, in 8-bit levels."""
    return 255 * float((hr_n.astype(np.float32) - hr_0.astype(np.float32)).mean(dtype=np.float64))


def alpha(hr_n: np.ndarray, y: np.ndarray, y_blurred: np.ndarray) -> float:
    """Least-squares factor of HR_n - y on y - U(D(y)) (eq. 12: HR_1 = y + alpha (y - y_blurred)).

    Returns 0 for a picture without any detail.
    """
    y = y.astype(np.float64)
    return least_squares_factor(hr_n - y, y - y_blurred)


def least_squares_factor(a: np.ndarray, b: np.ndarray) -> float:
    """The factor by which ``b`` comes closest to ``a``; 0 where ``b`` is nothing."""
    a, b = (array.astype(np.float64).ravel() for array in (a, b))
    energy = float(b @ b)
    return float(b @ a) / energy if energy else 0.0
