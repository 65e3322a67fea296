"""The gradients of several replicas are summed, and only once."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from rts_tf.training.gradients import AdamOfSums, summed
from tests.support.paths import ROOT


def test_a_replica_alone_keeps_its_arrays():
    loss, gradients = tf.constant(1.0), [tf.ones([2, 3])]
    assert summed(loss, gradients)[1][0] is gradients[0]


@pytest.fixture(scope="module")
def two_replicas():
    """What a process with two replicas prints, as arrays."""
    command = [sys.executable, "-m", "tests.support.sums"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [np.array(line.split(), float) for line in done.stdout.splitlines()]


def test_the_loss_and_every_gradient_are_summed(two_replicas):
    loss, first, second, *_ = two_replicas
    np.testing.assert_allclose(loss, [3])
    np.testing.assert_allclose(first, np.full(6, 30))
    np.testing.assert_allclose(second, np.full(4, 300))


def test_keras_does_not_sum_them_again(two_replicas):
    """With a large epsilon, Adam's step is nearly proportional to the gradient."""
    *_, moved = two_replicas
    np.testing.assert_allclose(moved, moved_along(30.0), rtol=1e-6)
    assert abs(moved_along(60.0)).min() > 1.5 * abs(moved).max()


def moved_along(gradient: float) -> np.ndarray:
    """A variable of zeros after a step along a gradient, in one replica."""
    variable = tf.Variable(np.zeros(6, np.float32))
    optimizer = AdamOfSums(1.0, epsilon=1e3)
    optimizer.build([variable])
    optimizer.apply_gradients([(tf.fill([6], gradient), variable)])
    return variable.numpy()
