"""Runs a TFLite file with LiteRT. TensorFlow is not imported, as it is not on a device."""

import pathlib

import numpy as np

from rts_tf.export.runners.process import Opened, serve
from rts_tf.metrics.resources import cores

THREADS = min(4, cores())


def opened(path: pathlib.Path, signature: str) -> Opened:
    """Open a file of ``rts_tf.export.tflite``."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_path=str(path), num_threads=THREADS).get_signature_runner(signature)
    integers = runner.get_input_details()["image"]["dtype"] == np.uint8

    def function(frame: np.ndarray) -> np.ndarray:
        image = frame if integers else frame.astype(np.float32) / np.float32(255)
        (output,) = runner(image=image[None]).values()
        return output[0]

    return function


if __name__ == "__main__":
    serve(opened)
