"""The enhance head in ONNX Runtime, in float and int8, and a product of large matrices in int8.

It is a peer of benchmarks.device and runs in a process of its own, see
:mod:`benchmarks.peer_process`. tf2onnx converts the SavedModel; it loads TensorFlow and thus runs
in yet another process.
"""

import importlib.util
import logging
import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnxruntime import quantization

PRODUCT = 2048  # rows and columns of the matrices


def open_peer(arguments: dict[str, Any]) -> dict[str, Callable[[], None]]:
    """Convert and quantize the network.

    Args:
        arguments: ``directory`` with the files of ``benchmarks.peers.write_files``; ``threads``.

    Returns:
        ``float`` and ``int8``, which run the network on the frame, and ``product``.

    Raises:
        ModuleNotFoundError: if tf2onnx is not installed.
    """
    logging.disable(logging.WARNING)
    directory, threads = pathlib.Path(arguments["directory"]), arguments["threads"]
    floating, prepared, integer = (
        directory / f"{name}.onnx" for name in ("float", "prepared", "int8")
    )
    _convert(directory / "saved_model", floating)
    quantization.quant_pre_process(str(floating), str(prepared), skip_symbolic_shape=True)
    crops = _Crops(np.load(directory / "crops.npz"))
    quantization.quantize_static(str(prepared), str(integer), crops, per_channel=True)
    frame = np.load(directory / "frame.npy")
    functions = {"product": _product(threads)}
    for name, file in (("float", floating), ("int8", integer)):
        functions[name] = _run(_session(str(file), threads), {"image": frame})
    return functions


class _Crops(quantization.CalibrationDataReader):
    """The crops that ONNX Runtime calibrates on."""

    def __init__(self, crops: Any):
        self._left: Iterator[np.ndarray] = iter(crops.values())

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(({"image": crop} for crop in self._left), None)


def _convert(saved_model: pathlib.Path, file: pathlib.Path) -> None:
    if importlib.util.find_spec("tf2onnx") is None:
        raise ModuleNotFoundError(name="tf2onnx")
    command = [sys.executable, "-m", "tf2onnx.convert", "--saved-model", str(saved_model)]
    command += ["--signature_def", "enhance", "--opset", "17", "--output", str(file)]
    subprocess.run(command, check=True)


def _session(model: str | bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.enable_mem_pattern = False  # it takes twice the memory, at the same speed
    # A thread that spins would take the processor of the next one to be measured.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _run(
    session: onnxruntime.InferenceSession, inputs: dict[str, np.ndarray]
) -> Callable[[], None]:
    def run() -> None:
        session.run(None, inputs)

    return run


def _product(threads: int) -> Callable[[], None]:
    helper, kinds = onnx.helper, onnx.TensorProto
    left = np.random.default_rng(0).integers(-127, 128, (PRODUCT, PRODUCT)).astype(np.int8)
    node = helper.make_node("MatMulInteger", ["a", "b"], ["c"])
    given, made = (
        helper.make_tensor_value_info(name, kind, [PRODUCT] * 2)
        for name, kind in (("a", kinds.UINT8), ("c", kinds.INT32))
    )
    weights = onnx.numpy_helper.from_array(left, "b")
    graph = helper.make_graph([node], "product", [given], [made], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return _run(_session(model.SerializeToString(), threads), {"a": left.view(np.uint8)})
