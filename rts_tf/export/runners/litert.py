"""Runs a TFLite file with LiteRT. TensorFlow is not imported, as it is not on a device."""

import contextlib
import pathlib

import numpy as np

from rts_tf.export.runners.process import Opened, serve
from rts_tf.luma.matrix_tiles import without_matrix_tiles
from rts_tf.metrics.resources import cores
from rts_tf.quiet import quiet_stderr

THREADS = min(4, cores())
XNNPACK = "DELEGATE"  # what LiteRT calls operations that XNNPACK computes together


def opened(path: pathlib.Path, signature: str) -> Opened:
    """Open a file of ``rts_tf.export.tflite`` or ``rts_tf.export.luma``, which has one input."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=THREADS)
    (entry,) = interpreter.get_input_details()
    with without_matrix_tiles() if entry["shape"][-1] == 1 else contextlib.nullcontext():
        interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner(signature)
    ((name, details),) = runner.get_input_details().items()
    integers = details["dtype"] == np.uint8

    def function(frame: np.ndarray) -> np.ndarray:
        image = frame if integers else frame.astype(np.float32) / np.float32(255)
        (output,) = runner(**{name: image[None]}).values()
        return output[0]

    return function


def executed(path: pathlib.Path, size: tuple[int, ...]) -> list[str]:
    """Return what LiteRT runs for a frame of luma: ``XNNPACK`` for each part that it computes.

    Args:
        path: a file with one input and one output.
        size: height and width of the frame.

    Returns:
        Names in order, those of operations where LiteRT computes them itself.
    """
    from ai_edge_litert.interpreter import Interpreter

    with quiet_stderr():
        interpreter = Interpreter(model_path=str(path), num_threads=1)
        (entry,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
        interpreter.resize_tensor_input(entry["index"], [1, *size, 1])
        interpreter.allocate_tensors()
    made: dict[int, dict] = {}
    nodes: dict[int, str] = {}
    wanted = [result["index"]]
    # The parts of XNNPACK stand behind the operations that they replace.
    for node in interpreter._get_ops_details():
        made |= dict.fromkeys(node["outputs"], node)
    while wanted:
        node = made.get(wanted.pop())
        if node and node["index"] not in nodes:
            nodes[node["index"]] = node["op_name"]
            wanted += list(node["inputs"])
    return list(nodes.values())[::-1]


if __name__ == "__main__":
    serve(opened)
