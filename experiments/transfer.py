"""Where the sharpening comes from: the stages' gain by frequency, predicted from two kernels and measured.

A network that learned to invert the kernel A with which LR was made, followed by the kernel B of d(), has on a picture of
frequency f (cycles a pixel) the gain

    r(f) = B(f/2) / A(f/2),   and after n stages   G_n(f) = r(f) r(f/2) .. r(f/2^(n-1)),

separably in both directions. f/2, for the network takes the picture for the half-size copy of one that it has never seen.
The paper does not say this; it follows from its Phase A and B. Arrays alone; ``experiments.kernels`` draws on it.
"""

import functools
from collections.abc import Callable

import numpy as np

from rts_tf.imaging.kernels import reduction_taps

BINS = 32  # of the radial frequency, from 0 to 0.5 cycles a pixel
OCTAVES = ((1 / 4, 1 / 2), (1 / 8, 1 / 4), (1 / 16, 1 / 8))  # cycles a pixel; their limits are limits of bins


def response(kernel: str, f: np.ndarray) -> np.ndarray:
    """Transfer function of an antialiased 2x reduction at ``f`` cycles per pixel of the large picture."""
    offsets = np.arange(-6, 6) + 0.5  # the centre of an output lies between two samples
    return np.cos(2 * np.pi * np.multiply.outer(f, offsets)) @ reduction_taps(kernel, offsets)


def predicted_gain(stage: int, f: np.ndarray, kernel_a: str, kernel_b: str) -> np.ndarray:
    """G_n(f) of one dimension."""
    ratios = (response(kernel_b, f / 2**k / 2) / response(kernel_a, f / 2**k / 2) for k in range(stage))
    return functools.reduce(np.multiply, ratios)


def energies(hr_0: np.ndarray, hr_n: np.ndarray, gain_of: Callable) -> np.ndarray:
    """[BINS, 3]: the energies of HR_0, of HR_n, and of HR_0 with the gain ``gain_of``(|fy|) ``gain_of``(|fx|), by |f|.

    ``hr_0`` and ``hr_n`` are planes [H, W]; a Hann window keeps their borders out.
    """
    window = np.hanning(hr_0.shape[0])[:, None] * np.hanning(hr_0.shape[1])
    mean = (hr_0 * window).sum() / window.sum()
    f_0, f_n = (np.fft.fft2((plane - mean) * window) for plane in (hr_0, hr_n))
    fy, fx = np.abs(np.fft.fftfreq(hr_0.shape[0])), np.abs(np.fft.fftfreq(hr_0.shape[1]))
    energy, radius = np.abs(f_0) ** 2, np.hypot(fy[:, None], fx)
    places = np.minimum(np.floor(2 * BINS * radius), BINS).astype(int).ravel()  # the last: the corners beyond 0.5
    terms = energy, np.abs(f_n) ** 2, energy * (gain_of(fy)[:, None] * gain_of(fx)) ** 2
    return np.stack([np.bincount(places, term.ravel(), BINS + 1)[:BINS] for term in terms], axis=1)


def in_octave(by_bin: np.ndarray, octave: tuple[float, float]) -> np.ndarray:
    """[.., BINS, 3] energies -> [.., 3], those of the bins of an octave."""
    low, high = (round(2 * BINS * f) for f in octave)
    return by_bin[..., low:high, :].sum(axis=-2)


def decibels(by_bin: np.ndarray) -> np.ndarray:
    """[.., 2], predicted and measured gain in dB to three decimals, of [.., 3] energies."""
    return np.round(10 * np.log10(by_bin[..., [2, 1]] / by_bin[..., :1]), 3)
