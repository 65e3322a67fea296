"""Where the sharpening comes from: the stages' gain by frequency, predicted from two kernels and measured.

A network that learned to invert the kernel A with which LR was made, followed by the kernel B of d(), has on a picture of
frequency f (cycles a pixel) the gain

    r(f) = B(f/2) / A(f/2),   and after n stages   G_n(f) = r(f) r(f/2) .. r(f/2^(n-1)),

separably in both directions. f/2, for the network takes the picture for the half-size copy of one that it has never seen.
The paper does not say this; it follows from its Phase A and B. Arrays alone; ``experiments.kernels`` draws on it.

That neglects aliasing: what A lets pass above the Nyquist frequency of LR lands on lower frequencies, where a network can only
guess what was there. ``aliased_gain`` is that of the best linear guess.
"""

import functools
import itertools
from collections.abc import Sequence

import numpy as np

from rts_tf.images.kernels import reduction_taps

BINS = 32  # of the radial frequency, from 0 to 0.5 cycles a pixel
OCTAVES = (
    (1 / 4, 1 / 2),
    (1 / 8, 1 / 4),
    (1 / 16, 1 / 8),
)  # cycles a pixel; their limits are limits of bins


def response(kernel: str, f: np.ndarray) -> np.ndarray:
    """Transfer function of an antialiased 2x reduction at ``f`` cycles per pixel of the large picture."""
    offsets = np.arange(-6, 6) + 0.5  # the centre of an output lies between two samples
    return np.cos(2 * np.pi * np.multiply.outer(f, offsets)) @ reduction_taps(kernel, offsets)


def predicted_gain(stage: int, f: np.ndarray, kernel_a: str, kernel_b: str) -> np.ndarray:
    """G_n(f) of one dimension."""
    ratios = (
        response(kernel_b, f / 2**k / 2) / response(kernel_a, f / 2**k / 2) for k in range(stage)
    )
    return functools.reduce(np.multiply, ratios)


def aliased_gain(
    stage: int, fy: np.ndarray, fx: np.ndarray, kernel_a: str, kernel_b: str, power: float
) -> np.ndarray:
    """[fy, fx]: G_n of two dimensions where LR is aliased and the network the best linear one, in the mean square.

    LR at (fy, fx) is a sum over the four frequencies (fy / 2 or (1 - fy) / 2, fx / 2 or (1 - fx) / 2) of the picture twice as
    large. Of each the network puts back the share that is due to it by the power spectrum S, d() brings all four to (fy, fx):

        G_n(f) = sum A(g) B(g) S(g) G_{n-1}(g) / sum A(g)^2 S(g)   over the four g,

    which is r(f) G_{n-1}(f/2) where A stops all but the first. Of equal kernels it is 1, whatever they let pass.

    Args:
        fy, fx: [n] cycles a pixel, 0 to 0.5.
        power: S is |g|^-power (``power_law``).
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
    """[fy, fx]: ``predicted_gain`` in both directions."""
    return np.multiply.outer(*(predicted_gain(stage, f, kernel_a, kernel_b) for f in (fy, fx)))


def energies(hr_0: np.ndarray, hr_n: np.ndarray, gains: Sequence[np.ndarray] = ()) -> np.ndarray:
    """[BINS, 2 + number of gains]: the energies of HR_0, of HR_n, and of HR_0 with each of ``gains``, by |f|.

    ``hr_0`` and ``hr_n`` are planes [H, W]; a Hann window keeps their borders out. ``gains`` are [H, W], at ``frequencies``.
    """
    window = np.hanning(hr_0.shape[0])[:, None] * np.hanning(hr_0.shape[1])
    mean = (hr_0 * window).sum() / window.sum()
    f_0, f_n = (np.fft.fft2((plane - mean) * window) for plane in (hr_0, hr_n))
    fy, fx = frequencies(hr_0.shape)
    energy, radius = np.abs(f_0) ** 2, np.hypot(fy[:, None], fx)
    places = (
        np.minimum(np.floor(2 * BINS * radius), BINS).astype(int).ravel()
    )  # the last: the corners beyond 0.5
    terms = energy, np.abs(f_n) ** 2, *(energy * gain**2 for gain in gains)
    return np.stack([np.bincount(places, term.ravel(), BINS + 1)[:BINS] for term in terms], axis=1)


def frequencies(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """|fy| and |fx| of the Fourier transform of a plane, cycles a pixel."""
    return tuple(np.abs(np.fft.fftfreq(side)) for side in shape)


def power_law(energy: np.ndarray) -> float:
    """The power p of the spectrum |f|^-p nearest to the energies [BINS] of HR_0, above 1/16 cycles a pixel."""
    places = np.arange(BINS // 8, BINS)
    slope, _ = np.polyfit(
        np.log(places + 0.5), np.log(energy[places] / (places + 0.5)), 1
    )  # a bin is a ring
    return -float(slope)


def in_octave(by_bin: np.ndarray, octave: tuple[float, float]) -> np.ndarray:
    """[.., BINS, n] energies -> [.., n], those of the bins of an octave."""
    low, high = (round(2 * BINS * f) for f in octave)
    return by_bin[..., low:high, :].sum(axis=-2)


def decibels(by_bin: np.ndarray) -> np.ndarray:
    """[.., n - 1], the gains over HR_0 in dB to three decimals, of [.., n] energies."""
    return np.round(10 * np.log10(by_bin[..., 1:] / by_bin[..., :1]), 3)
