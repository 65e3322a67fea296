"""The integer file of a network for luma in OpenVINO.

It is a peer of benchmarks.luma_device and runs in a process of its own, see
:mod:`benchmarks.peer_process`.
"""

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import openvino

PROPERTIES = {"PERFORMANCE_HINT": "LATENCY"}


def open_peer(arguments: dict[str, Any]) -> dict[str, Callable[[], None]]:
    """Read the files and compile them.

    Args:
        arguments: ``directory`` with NAME.tflite of each network and frame.npy; ``threads``.

    Returns:
        By name of the network, what runs it on the frame.
    """
    directory = pathlib.Path(arguments["directory"])
    frame = np.load(directory / "frame.npy")
    properties = PROPERTIES | {"INFERENCE_NUM_THREADS": arguments["threads"]}
    functions = {}
    for file in sorted(directory.glob("*.tflite")):
        model = openvino.convert_model(file)
        compiled = openvino.Core().compile_model(model, "CPU", properties)
        functions[file.stem] = _run(compiled, frame)
    return functions


def _run(compiled: openvino.CompiledModel, frame: np.ndarray) -> Callable[[], None]:
    def run() -> None:
        compiled(frame)

    return run
