"""Finds and loads networks for luma: those of the package, of a run, and of a ``.keras`` file."""

import os
import pathlib

from rts_tf import pretrained
from rts_tf.errors import RtsError, first_line
from rts_tf.luma.engines import LiteRTEngine
from rts_tf.luma.enhancer import LumaEnhancer
from rts_tf.networks.luma import is_luma, shape_of
from rts_tf.pretrained.keras_file import config_of, load_keras_file
from rts_tf.storage import read_json_or_none

# Of a distillation: the network, and the same in 8-bit integers for frames of any size
FINAL, INTEGER_FILE = "final.keras", "final.tflite"
RANGES = "ranges"  # the key of what 255 stands for in each hidden layer of that file


def is_luma_model(model: str | os.PathLike) -> bool:
    """Whether ``model`` names a network for luma: weights of the package, a run or a file."""
    name = os.fspath(model)
    if pretrained.resolved(name) in pretrained.names():
        return is_luma(str(pretrained.record(name).get("network", "")))
    try:
        return is_luma(config_of(_file_of(model))["config"]["name"])
    except Exception:  # zip files that are damaged raise errors of many types
        return False


def load_luma(model: str | os.PathLike) -> LumaEnhancer:
    """Load a network for luma.

    Args:
        model: The name of weights that come with the package, the directory of a distillation, or
            a ``.keras`` file. A file outside of such a directory is computed in floating point,
            since nothing says in which integers.

    Raises:
        RtsError: There is no such file, or it holds no network for luma.
    """
    name = os.fspath(model)
    if pretrained.resolved(name) in pretrained.names():
        ranges = tuple(pretrained.record(name).get(RANGES, ()))
        return LumaEnhancer(pretrained.network(name), pretrained.integer_file(name), ranges)
    file = _file_of(model)
    if not file.exists():
        raise RtsError(f"{model}: no such file or directory, and {pretrained.known()}")
    try:
        network = load_keras_file(file)
        summary = read_json_or_none(file.with_name("summary.json")) or {}
        if file.name != FINAL or RANGES not in summary:
            return LumaEnhancer(network)
        content = file.with_name(INTEGER_FILE).read_bytes()
        if LiteRTEngine.is_installed():
            LiteRTEngine(content).check(shape_of(network.name).block)
        return LumaEnhancer(network, content, tuple(summary[RANGES]))
    except Exception as error:  # Keras raises many types on a file that is not its own
        raise RtsError(f"{file}: is not a network for luma ({first_line(error)})") from None


def _file_of(model: str | os.PathLike) -> pathlib.Path:
    path = pathlib.Path(model).expanduser()
    return path / FINAL if path.is_dir() else path
