"""The predicted gains by frequency, the measured ones, and experiments.kernels with --quick."""

import json
from functools import partial

import numpy as np
import pytest
import tensorflow as tf

from experiments import kernels
from experiments.transfer import (
    OCTAVES,
    aliased_gain,
    decibels,
    energies,
    in_octave,
    power_law,
    predicted_gain,
    response,
    separable_gain,
)
from rts_tf.config import KERNELS
from rts_tf.images.resample import halve
from tests.support.commands import set_flags


@pytest.mark.parametrize("kernel", KERNELS)
def test_response_is_that_of_the_reduction(kernel):
    """A cosine of frequency f, halved, is one of 2f with the amplitude of the formula."""
    for f in (0.05, 0.125, 0.2):
        x = np.cos(2 * np.pi * f * (np.arange(200) + 0.5))
        line = np.broadcast_to(x[None, None, :, None], (1, 8, 200, 1)).astype(np.float32)
        halved = halve(tf.constant(line), kernel).numpy()[0, 1, 10:-10, 0]
        expected = np.cos(2 * np.pi * f * 2 * (np.arange(100) + 0.5))[10:-10]
        assert halved @ expected / (expected @ expected) == pytest.approx(
            response(kernel, np.array([f]))[0], abs=0.02
        )


def test_equal_kernels_gain_nothing():
    f = np.linspace(0, 0.45, 10)
    np.testing.assert_allclose(predicted_gain(3, f, "lanczos", "lanczos"), 1)
    once, twice = (predicted_gain(stage, f[1:], "bilinear", "lanczos") for stage in (1, 2))
    assert (twice > once).all() and (once > 1).all()


def test_aliased_gain():
    """Equal kernels gain nothing. A steep spectrum, far from Nyquist, has no aliasing."""
    f = np.linspace(0, 0.5, 9)
    np.testing.assert_allclose(aliased_gain(3, f, f, "box", "box", 2.5), 1)
    low = f[1:3]
    np.testing.assert_allclose(
        aliased_gain(2, low, low, "bilinear", "lanczos", 8.0),
        separable_gain(2, low, low, "bilinear", "lanczos"),
        rtol=1e-4,
    )
    with_aliasing, without = (
        gain(1, f, f, "box", "lanczos")
        for gain in (partial(aliased_gain, power=2.5), separable_gain)
    )
    assert with_aliasing[-2, -2] < 0.9 * without[-2, -2]


def test_aliased_gain_is_that_of_the_best_linear_network():
    """Least squares on noise of that spectrum gives the same gain.

    From LR at one frequency it guesses the four frequencies of HR that made it; d() follows.
    """
    random, power, f = np.random.default_rng(0), 2.5, np.array([0.15, 0.4])
    fy, fx = f
    g = [(y, x) for y in (fy / 2, (1 - fy) / 2) for x in (fx / 2, (1 - fx) / 2)]
    a, b = (
        np.array([response(k, np.array(pair)).prod() for pair in g]) for k in ("box", "lanczos")
    )
    waves = random.normal(size=(200_000, 4)) * np.hypot(*np.transpose(g)) ** (-power / 2)
    lr = waves @ a
    guess = lr @ waves / (lr @ lr)
    assert b @ guess == pytest.approx(
        aliased_gain(1, f[:1], f[1:], "box", "lanczos", power)[0, 0], rel=0.02
    )


def test_power_law_of_a_known_spectrum():
    random = np.random.default_rng(0)
    radius = np.maximum(np.hypot(np.fft.fftfreq(256)[:, None], np.fft.fftfreq(256)), 1e-3)
    plane = np.fft.ifft2(np.fft.fft2(random.normal(size=(256, 256))) * radius**-1.25).real
    assert power_law(energies(plane, plane)[:, 0]) == pytest.approx(2.5, abs=0.1)


def test_energies_find_the_gain(photograph):
    hr_0 = photograph[:128, :128].mean(axis=2) / 255
    found = energies(hr_0, 1.5 * hr_0, [np.full((128, 128), 1.2)])
    expected = 20 * np.log10([1.5, 1.2])
    np.testing.assert_allclose(decibels(found[2:]), np.broadcast_to(expected, (30, 2)), atol=0.01)
    # A wave of 0.375 cycles a pixel lies in the top octave, one of 0.2 in the next.
    for f, octave in ((0.375, 0), (0.2, 1)):
        wave = np.broadcast_to(np.cos(2 * np.pi * f * np.arange(128)), (128, 128))
        bins = energies(wave, wave)
        assert in_octave(bins, OCTAVES[octave])[0] > 0.999 * bins[:, 0].sum()


def test_the_experiment(small_photographs, tmp_path, capsys):
    """--quick: two pairs with the same A share stage 1, and all results are written."""
    folders = {"data": str(small_photographs), "validation": str(small_photographs)}
    flags = folders | {
        "runs": str(tmp_path / "runs"),
        "output": str(tmp_path / "results"),
        "quick": True,
    }
    with set_flags(kernels.FLAGS, **flags):
        kernels.experiment()
    runs = [tmp_path / "runs" / f"kernels_bilinear_{b}" for b in ("lanczos", "bicubic")]
    first, second = (json.loads((run / "stage_1" / "metrics.json").read_text()) for run in runs)
    assert first["weights_sha256"] == second["weights_sha256"]
    assert first["difference_ratio_percent"] != second["difference_ratio_percent"]
    record = json.loads((tmp_path / "results/kernels.json").read_text())
    assert list(record["pairs"]) == ["bilinear lanczos", "bilinear bicubic"]
    assert str(tmp_path) not in json.dumps(record)
    assert np.shape(record["pairs"]["bilinear bicubic"]["curve_db"]) == (1, 32, 3)
    assert "| bilinear, bicubic | 35% |" in (tmp_path / "results/kernels.md").read_text()
    assert all(
        (tmp_path / "results" / f"kernels_{what}.png").stat().st_size < 300_000
        for what in ("map", "curves")
    )
    capsys.readouterr()
