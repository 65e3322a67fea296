"""How near a super-resolved picture comes to the picture itself: PSNR and SSIM, as the literature measures. Arrays alone."""

from typing import NamedTuple

import numpy as np
from skimage.metrics import structural_similarity

BORDER = 2  # pixels left out on every side: the scale, by custom
SMALLEST = 11 + 2 * BORDER  # pixels a side: the window of SSIM


class Fidelity(NamedTuple):
    """PSNR in dB (inf for equal pictures), SSIM at most 1; of luma, and of the three colours together."""

    psnr_y: float
    ssim_y: float
    psnr_rgb: float
    ssim_rgb: float


def fidelity(picture: np.ndarray, reference: np.ndarray, grey: bool = False) -> Fidelity:
    """Measure ``picture`` against ``reference`` without BORDER pixels on every side.

    SSIM with a Gaussian window of sigma 1.5 (Wang et al. 2004); its RGB value is the mean of the colours'.

    Args:
        picture, reference: uint8 [H, W, 3], at least SMALLEST pixels a side.
        grey: both are of a file with one channel; then Y is the grey itself, as in the published figures.

    Raises:
        ValueError: the two are not of one size, or smaller.
    """
    if picture.shape != reference.shape or min(picture.shape[:2]) < SMALLEST:
        shapes = f"not {picture.shape} and {reference.shape}"
        raise ValueError(
            f"need two pictures of one size, at least {SMALLEST} pixels a side, {shapes}"
        )
    inner = slice(BORDER, -BORDER)
    a, b = (array[inner, inner].astype(np.float64) for array in (picture, reference))
    y_a, y_b = (array[..., 0] if grey else luma(array) for array in (a, b))
    return Fidelity(psnr(y_a, y_b), _ssim(y_a, y_b), psnr(a, b), _ssim(a, b, channel_axis=-1))


def luma(picture: np.ndarray) -> np.ndarray:
    """Y of ITU-R BT.601 as MATLAB's rgb2ycbcr: levels [..., 3] in 0..255 -> floating point [...] in 16..235."""
    return 16 + picture @ np.array([65.481, 128.553, 24.966]) / 255


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio of levels in 0..255, in dB."""
    error = float(np.mean((a.astype(np.float64) - b) ** 2))
    return 10 * float(np.log10(255**2 / error)) if error else float("inf")


def _ssim(a: np.ndarray, b: np.ndarray, **settings) -> float:
    window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return float(structural_similarity(a, b, data_range=255, **window, **settings))
