"""Weights travel between Keras 2 and Keras 3.

tests/data holds, for each stack, weights that it wrote and the output that it computed with them. To make them again, on
each stack: ``python -m tests.test_stacks``.
"""

import keras
import numpy as np
import pytest

from rts_tf import networks
from tests.support.paths import GOLDEN

DATA = GOLDEN


def example() -> np.ndarray:
    return np.random.default_rng(11).random((1, 13, 17, 3)).astype(np.float32)


@pytest.mark.parametrize("stack", ["keras2", "keras3"])
def test_weights_written_on_either_stack_give_the_same_output(stack):
    network = networks.build("residual1")
    network.load_weights(DATA / f"{stack}.weights.h5")
    np.testing.assert_allclose(network(example()), np.load(DATA / f"{stack}.npy"), atol=1e-5)


def test_the_two_examples_differ():
    assert np.abs(np.load(DATA / "keras2.npy") - np.load(DATA / "keras3.npy")).max() > 0.01


if __name__ == "__main__":
    name = f"keras{keras.__version__.split('.')[0]}"
    made, random = networks.build("residual1"), np.random.default_rng(int(name[-1]))
    made.set_weights([w + random.normal(0, 0.05, w.shape) for w in made.get_weights()])
    DATA.mkdir(exist_ok=True)
    made.save_weights(DATA / f"{name}.weights.h5")
    np.save(DATA / f"{name}.npy", made(example()))
