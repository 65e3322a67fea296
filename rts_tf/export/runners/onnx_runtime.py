"""Runs an ONNX file with ONNX Runtime. TensorFlow is not imported, as it is not on a device."""

import importlib.util
import pathlib

import numpy as np

from rts_tf.export.runners.process import Opened, serve
from rts_tf.metrics.resources import cores

THREADS = min(4, cores())


def missing() -> str:
    """Say what has to be installed to run ONNX files; empty if everything is there."""
    if importlib.util.find_spec("onnxruntime"):
        return ""
    return "needs the package onnxruntime: pip install onnxruntime (the extra 'onnx')"


def opened(path: pathlib.Path, signature: str) -> Opened:
    """Open a file of ``rts_tf.export.onnx_file``.

    A frame whose sides are no multiples of what the file takes is enlarged by its last line and its
    last column, and the result is cut. That is what the network does with such a frame.

    Args:
        path: the file.
        signature: the head; a file has one.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (entry,), described = session.get_inputs(), session.get_modelmeta().custom_metadata_map
    multiple, scale = int(described["multiple"]), int(described["scale"])

    def function(frame: np.ndarray) -> np.ndarray:
        height, width, _ = frame.shape
        whole = [(0, -height % multiple), (0, -width % multiple), (0, 0)]
        image = np.pad(frame, whole, mode="edge").astype(np.float32) / np.float32(255)
        (output,) = session.run(None, {entry.name: image.transpose(2, 0, 1)[None]})
        return output[0].transpose(1, 2, 0)[: scale * height, : scale * width]

    return function


if __name__ == "__main__":
    serve(opened)
