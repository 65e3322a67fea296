"""A hook that says how many processes run the tests."""

from rts_tf.metrics.resources import cores


def pytest_xdist_auto_num_workers() -> int:
    """What ``-n auto`` means: one more than cores, since many tests wait for other processes."""
    return cores() + 1
