"""rts_tf.enhance run in this process, and a small network for it."""

import contextlib
import io
import pathlib

import numpy as np
import pytest
from absl import flags
from absl.testing import flagsaver

from rts_tf import enhance, networks
from rts_tf.inference import Enhancer


def command(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of rts_tf.enhance with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    saved = flagsaver.save_flag_values(enhance.FLAGS)
    try:
        with flagsaver.flagsaver(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            flags.FLAGS(["rts-enhance"])
            code = enhance.main(enhance.FLAGS(["rts-enhance", *map(str, arguments)]))
    finally:
        flagsaver.restore_flag_values(saved, enhance.FLAGS)
    return code, out.getvalue(), err.getvalue()


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
