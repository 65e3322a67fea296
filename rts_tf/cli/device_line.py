"""The line that says which device, precision and engine a command computes with."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rts_tf.cli.verbosity import is_quiet
from rts_tf.errors import printable
from rts_tf.metrics.resources import cores

if TYPE_CHECKING:
    from rts_tf.inference import Enhancer
    from rts_tf.luma.enhancer import LumaEnhancer

_NAMES = {"mixed_bfloat16": "bfloat16"}  # of precisions, where they are not those of Keras


class DeviceLine:
    """Prints on standard error what computes, once for each combination."""

    def __init__(self) -> None:
        self._printed: set[str] = set()

    def floats(self, precision: str, *others: str) -> None:
        """Say that TensorFlow computes in a precision, and which other engines besides it."""
        self._print(float_line(precision, *others))

    def model(self, model: Enhancer | LumaEnhancer, bits: int = 8) -> None:
        """Say what computes ``model`` on samples of ``bits``."""
        self._print(line_of(model, bits))

    def say(self, line: str) -> None:
        """Print a line that another process found."""
        self._print(line)

    def _print(self, line: str) -> None:
        if line not in self._printed and not is_quiet():
            print(printable(f"device: {line}"), file=sys.stderr)
        self._printed.add(line)


def line_of(model: Enhancer | LumaEnhancer, bits: int = 8) -> str:
    """What computes ``model`` on samples of ``bits``."""
    if bits == 8 and getattr(model, "integers", False):
        return integer_line()
    return float_line(model.precision)


def float_line(precision: str, *others: str) -> str:
    """What computes through TensorFlow: "CPU, 2 cores, float32 (AVX512), TensorFlow 2.21".

    Args:
        precision: "float32" or "mixed_bfloat16".
        others: More engines that the command computes with, to follow "TensorFlow 2.21".
    """
    import tensorflow as tf

    from rts_tf.networks.devices import memory_of, visible_gpus

    version = ".".join(tf.__version__.split(".")[:2])
    engines = " and ".join([f"TensorFlow {version}", *others])
    name = _NAMES.get(precision, precision)
    if gpus := visible_gpus():
        # A command computes on the first one alone.
        memory = memory_of(gpus[0].name)
        return ", ".join([gpus[0].name, *([f"{memory} GB"] if memory else []), name, engines])
    return f"{_cpu()}, {name}{_in_brackets(precision)}, {engines}"


def integer_line() -> str:
    """What computes through LiteRT, on the CPU: "CPU, 2 cores, int8 (AVX512_VNNI), LiteRT"."""
    return f"{_cpu()}, int8{_in_brackets('int8')}, LiteRT"


def _cpu() -> str:
    count = cores()
    return f"CPU, {count} core{'s' if count > 1 else ''}"


def _in_brackets(precision: str) -> str:
    from rts_tf.networks.cpu import instructions_for  # it imports Keras

    instructions = instructions_for(precision)
    return f" ({instructions})" if instructions else ""
