"""Measure how close a super-resolved image is to its reference: PSNR and SSIM as in the literature.

Both are computed for luma and for RGB, without the outermost pixels.
"""

from typing import Any, NamedTuple

import numpy as np
from skimage.metrics import structural_similarity

BORDER = 2  # pixels that are left out on every side; by custom, as many as the scale
SMALLEST = 11 + 2 * BORDER  # pixels a side, since the window of SSIM has 11


class Fidelity(NamedTuple):
    """How close an image is to its reference.

    Attributes:
        psnr_y: The PSNR of luma in dB; inf for equal images.
        ssim_y: The SSIM of luma, at most 1.
        psnr_rgb: The PSNR of all three colours together in dB.
        ssim_rgb: The mean of the SSIM of the three colours.
    """

    psnr_y: float
    ssim_y: float
    psnr_rgb: float
    ssim_rgb: float


def fidelity(image: np.ndarray, reference: np.ndarray, grey: bool = False) -> Fidelity:
    """Measure ``image`` against ``reference``, without BORDER pixels on every side.

    SSIM has a Gaussian window of sigma 1.5 (Wang et al. 2004).

    Args:
        image: uint8 [H, W, 3], at least SMALLEST pixels a side.
        reference: The same shape.
        grey: Whether both come from files with one channel. Then luma is that channel itself, as in
            the published results.

    Raises:
        ValueError: The sizes differ, or the images are too small.
    """
    if image.shape != reference.shape or min(image.shape[:2]) < SMALLEST:
        raise ValueError(
            f"expected two images of the same size, at least {SMALLEST} pixels a side, "
            f"not {image.shape} and {reference.shape}"
        )
    inner = slice(BORDER, -BORDER)
    a, b = (array[inner, inner].astype(np.float64) for array in (image, reference))
    y_a, y_b = (array[..., 0] if grey else luma(array) for array in (a, b))
    return Fidelity(psnr(y_a, y_b), _ssim(y_a, y_b), psnr(a, b), _ssim(a, b, channel_axis=-1))


def luma(image: np.ndarray) -> np.ndarray:
    """Compute the luma of ITU-R BT.601 as MATLAB's rgb2ycbcr does.

    Args:
        image: Levels in 0..255, [..., 3], RGB.

    Returns:
        Floating point [...] in 16..235.
    """
    return 16 + image @ np.array([65.481, 128.553, 24.966]) / 255


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """The peak signal-to-noise ratio of levels in 0..255, in dB; inf for equal arrays."""
    error = float(np.mean((a.astype(np.float64) - b) ** 2))
    return 10 * float(np.log10(255**2 / error)) if error else float("inf")


def _ssim(a: np.ndarray, b: np.ndarray, channel_axis: int | None = None) -> float:
    window: dict[str, Any] = {
        "gaussian_weights": True,
        "sigma": 1.5,
        "use_sample_covariance": False,
    }
    return float(structural_similarity(a, b, data_range=255, channel_axis=channel_axis, **window))
