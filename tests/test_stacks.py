"""Weights travel between Keras 2 and Keras 3.

tests/golden holds, for each stack, weights that it wrote and the output that it computed with them.
To make them again, run on each stack: ``python -m tests.test_stacks``.
"""

import keras
import numpy as np
import pytest

from rts_tf import networks
from tests.support.paths import GOLDEN


def example() -> np.ndarray:
    return np.random.default_rng(11).random((1, 13, 17, 3)).astype(np.float32)


@pytest.mark.parametrize("stack", ["keras2", "keras3"])
def test_weights_of_either_stack_give_the_same_output(stack):
    """The tolerance is for rounding in float32, which differs between instruction sets."""
    network = networks.build("residual1")
    network.load_weights(GOLDEN / f"{stack}.weights.h5")
    np.testing.assert_allclose(network(example()), np.load(GOLDEN / f"{stack}.npy"), atol=1e-5)


def test_the_two_examples_differ():
    assert np.abs(np.load(GOLDEN / "keras2.npy") - np.load(GOLDEN / "keras3.npy")).max() > 0.01


if __name__ == "__main__":
    name = f"keras{keras.__version__.split('.')[0]}"
    made, random = networks.build("residual1"), np.random.default_rng(int(name[-1]))
    made.set_weights([w + random.normal(0, 0.05, w.shape) for w in made.get_weights()])
    GOLDEN.mkdir(exist_ok=True)
    made.save_weights(GOLDEN / f"{name}.weights.h5")
    np.save(GOLDEN / f"{name}.npy", made(example()))
