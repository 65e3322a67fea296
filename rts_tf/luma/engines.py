"""What computes a network for luma: LiteRT in integers, or TensorFlow in float32.

The rule is short. Samples of 8 bits go through LiteRT where it is installed and the network has its
integer file: it is several times as fast. All other samples go through TensorFlow. The weights of
a shipped network lie on the steps of the integers, so for samples of 8 bits the two differ by
rounding alone, by one level at most.
"""

import functools
import importlib.util
import threading
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from rts_tf.errors import RtsError, first_line
from rts_tf.images.dtypes import LEVELS, to_float, to_levels
from rts_tf.luma.matrix_tiles import without_matrix_tiles
from rts_tf.quiet import quiet_stderr
from rts_tf.settop.model_file import checked_notes


class Engine(Protocol):
    """A function of a plane whose sides are multiples of a block. Threads may share it."""

    def __call__(self, plane: np.ndarray) -> np.ndarray:
        """Apply the network to uint8, uint16 or float32 [H, W], and return the same type."""
        ...


class TensorFlowEngine:
    """The network in float32. It takes every type of samples."""

    def __init__(self, network: keras.Model):
        """``network``: of :func:`rts_tf.networks.luma.build_luma`."""
        signature = [tf.TensorSpec([1, None, None, 1], tf.float32)]
        self._function = tf.function(
            lambda luma: network(luma, training=False), signature, autograph=False
        )

    def __call__(self, plane: np.ndarray) -> np.ndarray:
        values = self._function(to_float(plane)[None, ..., None]).numpy()[0, ..., 0]
        return to_levels(values, plane.dtype) if plane.dtype in LEVELS else values


class LiteRTEngine:
    """The network in 8-bit integers, for samples of 8 bits.

    Each thread has an interpreter of its own, of one thread, for each size that it has seen last.
    """

    SIZES = 4  # that a thread keeps an interpreter for

    def __init__(self, file: bytes):
        """``file``: made by :func:`rts_tf.export.luma.integer_file`, for frames of any size."""
        self._file, self._own = file, threading.local()

    @staticmethod
    def is_installed() -> bool:
        """Whether the package ai-edge-litert is there."""
        return importlib.util.find_spec("ai_edge_litert") is not None

    def __call__(self, plane: np.ndarray) -> np.ndarray:
        if not hasattr(self._own, "runner"):
            self._own.runner = functools.lru_cache(self.SIZES)(self._runner)
        try:
            interpreter, entry, result = self._own.runner(plane.shape)
            interpreter.set_tensor(entry, plane[None, ..., None])
            interpreter.invoke()
            made = interpreter.get_tensor(result)
        except Exception as error:  # LiteRT raises errors of many types on a file that is damaged
            raise RtsError(f"the TFLite file cannot be run ({first_line(error)})") from None
        if made.shape != (1, *plane.shape, 1) or made.dtype != plane.dtype:
            raise RtsError("the TFLite file is not one for luma of any size in 8 bits")
        return made[0, ..., 0]

    def check(self, block: int) -> None:
        """Check a file that somebody else may have made. It must come before anything is computed.

        Args:
            block: The side of a plane to try, in pixels.

        Raises:
            RtsError: The file is damaged, or cannot be run.
        """
        try:
            checked_notes(self._file)
        except Exception as error:  # the schema's classes raise errors of many types
            raise RtsError(f"the TFLite file cannot be run ({first_line(error)})") from None
        self(np.zeros((block, block), np.uint8))

    def _runner(self, shape: tuple[int, int]) -> tuple[Any, int, int]:
        """An interpreter for planes of ``shape``, and the numbers of its input and its output."""
        from ai_edge_litert.interpreter import Interpreter

        with quiet_stderr(), without_matrix_tiles():
            interpreter = Interpreter(model_content=self._file, num_threads=1)
            (entry,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
            interpreter.resize_tensor_input(entry["index"], [1, *shape, 1])
            interpreter.allocate_tensors()
        return interpreter, entry["index"], result["index"]
