"""The enhance head in OpenVINO, in float and, quantized by NNCF, in int8.

It is a peer of benchmarks.device and runs in a process of its own, see
:mod:`benchmarks.peer_process`.
"""

import logging
import pathlib
from collections.abc import Callable
from typing import Any

import nncf
import numpy as np
import openvino

PROPERTIES = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}


def open_peer(arguments: dict[str, Any]) -> dict[str, Callable[[], None]]:
    """Convert and quantize the network.

    Args:
        arguments: ``directory`` with the files of ``benchmarks.peers.write_files``; ``threads``.

    Returns:
        ``float`` and ``int8``, which run the network on the frame.
    """
    logging.disable(logging.WARNING)
    directory = pathlib.Path(arguments["directory"])
    frame = np.load(directory / "frame.npy")
    crops = nncf.Dataset(list(np.load(directory / "crops.npz").values()))
    models = {"float": openvino.convert_model(directory / "saved_model")}
    models["int8"] = nncf.quantize(models["float"].clone(), crops)
    properties = PROPERTIES | {"INFERENCE_NUM_THREADS": arguments["threads"]}
    functions = {}
    for name, model in models.items():
        model.reshape(frame.shape)
        functions[name] = _run(openvino.Core().compile_model(model, "CPU", properties), frame)
    return functions


def _run(compiled: openvino.CompiledModel, frame: np.ndarray) -> Callable[[], None]:
    def run() -> None:
        compiled(frame)

    return run
