"""One engine, ONNX Runtime or OpenVINO, that runs ONNX files on images.

It is the peer of benchmarks.onnx_files and runs in a process of its own for each engine, see
:mod:`benchmarks.peer_process`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np


def open_peer(arguments: dict[str, Any]) -> dict[str, Callable[..., None]]:
    """Load the engine.

    Args:
        arguments: ``engine``, the name under which it is imported.

    Returns:
        ``run``, which takes the paths of an ONNX file, of the input and of the output; both are
        .npy files, float32 [images, channels, H, W].
    """
    outputs_of = {"onnxruntime": _onnx_runtime, "openvino": _openvino}[arguments["engine"]]()

    def run(model: str, given: str, made: str) -> None:
        np.save(made, outputs_of(model, np.load(given)))

    return {"run": run}


def _onnx_runtime() -> Callable[[str, np.ndarray], np.ndarray]:
    import onnxruntime

    def outputs_of(model: str, planes: np.ndarray) -> np.ndarray:
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        return session.run(None, {session.get_inputs()[0].name: planes})[0]

    return outputs_of


def _openvino() -> Callable[[str, np.ndarray], np.ndarray]:
    import openvino

    core, exact = openvino.Core(), {"INFERENCE_PRECISION_HINT": "f32"}
    return lambda model, planes: core.compile_model(core.read_model(model), "CPU", exact)(planes)[0]
