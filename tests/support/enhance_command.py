"""rts_tf.enhance run in this process, and a small network for it."""

import pathlib

import numpy as np
import pytest

from rts_tf import networks
from rts_tf.enhance import __main__ as enhance
from rts_tf.inference import Enhancer
from tests.support.commands import command_of


def command(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of rts_tf.enhance with these arguments.

    The line that says what computes is left out of standard error.
    """
    return command_of(enhance, *arguments)


def refused(*arguments: str) -> str:
    """The one line with which the command refuses these arguments."""
    code, out, err = command(*arguments)
    assert code == 1 and not out, out + err
    assert err.startswith("error: ") and err.count("\n") == 1 and "Traceback" not in err, err
    return err.strip()


@pytest.fixture(scope="session")
def model_file(tmp_path_factory) -> pathlib.Path:
    """residual1 with every weight away from its start."""
    network, random = networks.build("residual1"), np.random.default_rng(3)
    network.set_weights([w + random.normal(0, 0.01, w.shape) for w in network.get_weights()])
    path = tmp_path_factory.mktemp("model") / "model.keras"
    network.save(path)
    return path


@pytest.fixture(scope="session")
def model(model_file) -> Enhancer:
    """The same, as the command loads it."""
    from rts_tf.inference import load

    return load(model_file, precision="auto")


@pytest.fixture
def run(model_file):
    """Run the command with this network: its standard output and standard error.

    It must end with ``code``.
    """

    def run(*arguments, code=0):
        found, out, err = command(f"--model={model_file}", *arguments)
        assert found == code and "Traceback" not in err, out + err
        return out, err

    return run
