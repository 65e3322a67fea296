"""The fits of the MOS weights and of the black-body locus, and their results in the package."""

import json
import subprocess
import sys

import numpy as np
import pytest

from experiments.fit_blackbody_locus import minimax
from experiments.fit_viqet_mos import cross_validation, fit, largest_error
from rts_tf.metrics.viqet.model import INPUTS
from rts_tf.metrics.viqet.mos import WEIGHTS
from tests.support.paths import SHARED

GOLDEN = SHARED / "viqet"


def test_fit_recovers_weights_of_very_different_sizes():
    random = np.random.default_rng(3)
    scale = 10.0 ** random.uniform(-4, 1, INPUTS)
    logs, weights = random.random((120, INPUTS)) * scale + 5, random.normal(0, 1, INPUTS) / scale
    bias, found, condition = fit(logs, logs @ weights - 3)
    np.testing.assert_allclose(found, weights, rtol=1e-6)
    assert bias == pytest.approx(-3, rel=1e-6)
    assert 1 < condition < 1e3
    assert largest_error(bias, found, logs, logs @ weights - 3) < 1e-9
    assert cross_validation(logs, logs @ weights - 3) < 1e-8
    assert cross_validation(logs, random.random(120)) > 0.1  # what is not linear is not predicted


def test_too_few_rows_are_refused():
    with pytest.raises(SystemExit, match="determine 30 of 62"):
        fit(np.random.default_rng(3).random((30, INPUTS)), np.zeros(30))


def test_the_package_has_the_record_of_the_fit():
    models = json.loads(WEIGHTS.read_text())["models"]
    assert set(models) == {"landscape", "night"}
    for model in models.values():
        assert len(model["weights"]) == INPUTS
        assert (
            model["largest_residual"] < 1e-8
            and max(model["largest_error_on_rows_not_fitted"].values()) < 1e-7
        )


@pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"no reference figures in {GOLDEN}")
def test_the_command_gives_the_weights_of_the_package(tmp_path):
    command = [sys.executable, "-m", "experiments.fit_viqet_mos", GOLDEN, tmp_path / "mos.json"]
    subprocess.run(command, check=True, capture_output=True)
    made, kept = (
        json.loads(path.read_text())["models"] for path in (tmp_path / "mos.json", WEIGHTS)
    )
    for name, model in kept.items():
        np.testing.assert_allclose(made[name]["weights"], model["weights"], rtol=1e-4, atol=1e-9)


def test_minimax_of_a_cubic_on_a_line():
    """The best line for x^3 on [-1, 1] is 3/4 x, wrong by 1/4."""
    x = np.linspace(-1, 1, 2001)
    line = minimax(x**3, np.stack([np.ones_like(x), x], axis=1))
    np.testing.assert_allclose(line, [0, 0.75], atol=1e-3)
