"""Gives the enhance head of a network to the peers of benchmarks.device, each in its own process.

ONNX Runtime and OpenVINO get a SavedModel, the crops to calibrate on and the frame as files, and
quantize the network with their own tools.
"""

import contextlib
import functools
import pathlib
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from benchmarks.peer_process import started
from benchmarks.timing import Seconds
from rts_tf.export.archive import archive
from rts_tf.images.resample import halve_shuffled
from rts_tf.networks import receptive_radius
from rts_tf.networks.borders import repeat_border, without_border

# The modules of the peers, by the names in the table.
MODULES = {"ONNX Runtime": "benchmarks.onnx_peer", "OpenVINO": "benchmarks.openvino_peer"}


def write_files(
    network: keras.Model, crops: list[np.ndarray], frame: np.ndarray, directory: pathlib.Path
) -> None:
    """Write what the peers read.

    Args:
        network: ends in a convolution and a pixel shuffle.
        crops: uint8 [H, W, 3], to calibrate on.
        frame: uint8 [H, W, 3], to run on.
        directory: an existing one; it gets ``saved_model``, ``crops.npz`` and ``frame.npy``.
    """
    archive(network, {"enhance": _enhance(network)}, directory / "saved_model")
    np.savez(directory / "crops.npz", *(_to_input(crop) for crop in crops))
    np.save(directory / "frame.npy", _to_input(frame))


def start(
    directory: pathlib.Path, threads: int, python: str, processes: contextlib.ExitStack
) -> tuple[dict[str, Callable[[], Seconds]], list[str]]:
    """Start the peers that are installed and that work here.

    Args:
        directory: with the files of ``write_files``.
        threads: number of threads of each peer.
        python: the peers' interpreter; empty for that of this process.
        processes: ends the processes when it is closed.

    Returns:
        By name, e.g. "OpenVINO int8" or "int8 product (ONNX Runtime)", what does that once and
        returns the time it took; and a line for each peer that is not compared.
    """
    runs: dict[str, Callable[[], Seconds]] = {}
    missing = []
    for name, module in MODULES.items():
        arguments = {"directory": str(directory), "threads": threads}
        peer, why_not = started(name, module, arguments, python, processes)
        if not peer:
            missing.append(why_not)
            continue
        for kind in peer.names:
            run = f"int8 product ({name})" if kind == "product" else f"{name} {kind}"
            runs[run] = functools.partial(peer.seconds, kind)
    return runs, missing


def _to_input(image: np.ndarray) -> np.ndarray:
    return image[None].astype(np.float32) / np.float32(255)


def _enhance(network: keras.Model) -> tf.types.experimental.PolymorphicFunction:
    """The head for images of any size, since crops and frames differ.

    The border is repeated by operations that every converter knows.
    """
    padding = next(i for i, layer in enumerate(network.layers) if layer.name == "head_padding")
    body = keras.Model(network.inputs, network.layers[padding - 1].output)
    kernel, bias = network.layers[-2].get_weights()

    border = receptive_radius(network)

    def enhance(image: tf.Tensor) -> dict[str, tf.Tensor]:
        x = repeat_border(body(repeat_border(image, border), training=False), 1)
        phases = tf.nn.conv2d(x, kernel, 1, "VALID") + bias
        return {"enhanced": halve_shuffled(without_border(phases, border))}

    return tf.function(enhance, [tf.TensorSpec([1, None, None, 3], tf.float32, name="image")])
