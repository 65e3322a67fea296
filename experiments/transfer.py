"""Predicts how the stages sharpen: their gain by frequency, from the two kernels, and measures it.

A is the kernel with which LR was made, B that of d(). A network that learned to invert A, followed
by B, has this gain on an image of frequency f (cycles a pixel), separably in both directions::

    r(f) = B(f/2) / A(f/2),   and after n stages   G_n(f) = r(f) r(f/2) .. r(f/2^(n-1)).

The argument is f/2 because the network takes the image for the half-size copy of one that it has
never seen. The paper does not say this; it follows from its Phases A and B. ``experiments.kernels``
uses this module, which works on arrays alone.

The formula neglects aliasing: what A passes above the Nyquist frequency of LR lands on lower
frequencies, where a network can only guess what was there. :func:`aliased_gain` is the gain of the
best linear guess.
"""

import functools
import itertools
from collections.abc import Sequence

import numpy as np

from rts_tf.images.kernels import reduction_taps

BINS = 32  # of the radial frequency, from 0 to 0.5 cycles a pixel
# Cycles a pixel; the limits of an octave are limits of bins.
OCTAVES = ((1 / 4, 1 / 2), (1 / 8, 1 / 4), (1 / 16, 1 / 8))


def response(kernel: str, f: np.ndarray) -> np.ndarray:
    """Return the transfer function of an antialiased 2x reduction.

    Args:
        kernel: A or B.
        f: Cycles a pixel of the large image.
    """
    offsets = np.arange(-6, 6) + 0.5  # the centre of an output lies between two samples
    return np.cos(2 * np.pi * np.multiply.outer(f, offsets)) @ reduction_taps(kernel, offsets)


def predicted_gain(stage: int, f: np.ndarray, kernel_a: str, kernel_b: str) -> np.ndarray:
    """Return G_n(f) of one dimension."""
    ratios = (
        response(kernel_b, f / 2**k / 2) / response(kernel_a, f / 2**k / 2) for k in range(stage)
    )
    return functools.reduce(np.multiply, ratios)


def aliased_gain(
    stage: int, fy: np.ndarray, fx: np.ndarray, kernel_a: str, kernel_b: str, power: float
) -> np.ndarray:
    """Return G_n where LR is aliased and the network is the best linear one, in the mean square.

    LR at (fy, fx) is a sum over four frequencies of the image twice as large: fy / 2 or
    (1 - fy) / 2, and fx / 2 or (1 - fx) / 2. The network restores of each the share that is due to
    it by the power spectrum S, and d() brings all four to (fy, fx)::

        G_n(f) = sum A(g) B(g) S(g) G_{n-1}(g) / sum A(g)^2 S(g)   over the four g,

    which is r(f) G_{n-1}(f/2) where A stops all but the first. For equal kernels it is 1, whatever
    they pass.

    Args:
        stage: n, from 0.
        fy: [m] cycles a pixel, 0 to 0.5.
        fx: [n] cycles a pixel, 0 to 0.5.
        kernel_a: A.
        kernel_b: B.
        power: S is |g|^-power, see :func:`power_law`.

    Returns:
        [m, n], in both dimensions.
    """
    if not stage:
        return np.ones((len(fy), len(fx)))
    above = below = 0
    for gy, gx in itertools.product((fy / 2, (1 - fy) / 2), (fx / 2, (1 - fx) / 2)):
        a, b = (
            np.multiply.outer(response(kernel, gy), response(kernel, gx))
            for kernel in (kernel_a, kernel_b)
        )
        weight = a * np.maximum(np.hypot(gy[:, None], gx), 1e-3) ** -power
        above = above + weight * b * aliased_gain(stage - 1, gy, gx, kernel_a, kernel_b, power)
        below = below + weight * a
    return above / below


def separable_gain(
    stage: int, fy: np.ndarray, fx: np.ndarray, kernel_a: str, kernel_b: str
) -> np.ndarray:
    """Return [fy, fx]: :func:`predicted_gain` in both directions."""
    return np.multiply.outer(*(predicted_gain(stage, f, kernel_a, kernel_b) for f in (fy, fx)))


def energies(hr_0: np.ndarray, hr_n: np.ndarray, gains: Sequence[np.ndarray] = ()) -> np.ndarray:
    """Sum up spectral energies by |f|.

    A Hann window keeps the borders out.

    Args:
        hr_0: [H, W].
        hr_n: [H, W].
        gains: [H, W] each, at :func:`frequencies`.

    Returns:
        [BINS, 2 + number of gains]: the energies of HR_0, of HR_n, and of HR_0 with each gain.
    """
    window = np.hanning(hr_0.shape[0])[:, None] * np.hanning(hr_0.shape[1])
    mean = (hr_0 * window).sum() / window.sum()
    f_0, f_n = (np.fft.fft2((plane - mean) * window) for plane in (hr_0, hr_n))
    fy, fx = frequencies(hr_0.shape)
    energy, radius = np.abs(f_0) ** 2, np.hypot(fy[:, None], fx)
    # The last bin holds the corners beyond 0.5, and is left out.
    bins = np.minimum(np.floor(2 * BINS * radius), BINS).astype(int).ravel()
    terms = energy, np.abs(f_n) ** 2, *(energy * gain**2 for gain in gains)
    return np.stack([np.bincount(bins, term.ravel(), BINS + 1)[:BINS] for term in terms], axis=1)


def frequencies(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return |fy| and |fx| of the Fourier transform of a plane, in cycles a pixel."""
    fy, fx = (np.abs(np.fft.fftfreq(side)) for side in shape)
    return fy, fx


def power_law(energy: np.ndarray) -> float:
    """Return p of the spectrum |f|^-p that is nearest to HR_0 above 1/16 cycles a pixel.

    Args:
        energy: [BINS], the first column of :func:`energies`.
    """
    bins = np.arange(BINS // 8, BINS)
    rings = bins + 0.5  # a bin is a ring, so its energy grows with its radius
    slope, _ = np.polyfit(np.log(rings), np.log(energy[bins] / rings), 1)
    return -float(slope)


def in_octave(by_bin: np.ndarray, octave: tuple[float, float]) -> np.ndarray:
    """Sum up the bins of an octave: [.., BINS, n] energies become [.., n]."""
    low, high = (round(2 * BINS * f) for f in octave)
    return by_bin[..., low:high, :].sum(axis=-2)


def decibels(by_bin: np.ndarray) -> np.ndarray:
    """Return the gains over HR_0 in dB to three decimals: [.., n] energies become [.., n - 1]."""
    return np.round(10 * np.log10(by_bin[..., 1:] / by_bin[..., :1]), 3)
