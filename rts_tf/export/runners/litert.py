"""TFLite files: run one with LiteRT, and read what it is made of. TensorFlow is not imported, as it is not on a device."""

import os
import pathlib
from collections.abc import Callable

import numpy as np

from rts_tf.export.runners.process import measured

THREADS = min(4, os.cpu_count() or 1)


def opened(path: pathlib.Path, signature: str) -> Callable[[np.ndarray], np.ndarray]:
    """What runs a file of ``rts_tf.export.tflite`` on a frame, uint8 [H, W, 3] to uint8 or float32."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_path=str(path), num_threads=THREADS).get_signature_runner(signature)
    integers = runner.get_input_details()["image"]["dtype"] == np.uint8

    def function(frame: np.ndarray) -> np.ndarray:
        image = frame if integers else frame.astype(np.float32) / np.float32(255)
        (output,) = runner(image=image[None]).values()
        return output[0]

    return function


if __name__ == "__main__":
    measured(opened)
