"""For benchmarks.device: the enhance head in ONNX Runtime and OpenVINO, in float, and in int8 by each one's own tool."""

import logging
import pathlib
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from rts_tf.export.archive import archive
from rts_tf.images.resample import halve_shuffled

Runs = dict[str, Callable[[np.ndarray], np.ndarray]]  # by name: float32 [1, H, W, 3] to the same


def onnx_runtime(
    network: keras.Model, crops: list[np.ndarray], directory: pathlib.Path, threads: int
) -> Runs:
    """``crops``: uint8 [H, W, 3] to calibrate on."""
    import onnxruntime
    import tf2onnx
    from onnxruntime import quantization

    logging.disable(logging.WARNING)
    files = {"float": directory / "float.onnx", "int8": directory / "int8.onnx"}
    endpoint = _enhance(network)
    tf2onnx.convert.from_function(
        endpoint, endpoint.input_signature, opset=17, output_path=str(files["float"])
    )

    class Crops(quantization.CalibrationDataReader):
        left = iter(crops)

        def get_next(self):
            return next(
                ({"image": crop[None].astype(np.float32) / 255} for crop in self.left), None
            )

    prepared = directory / "prepared.onnx"
    quantization.quant_pre_process(str(files["float"]), str(prepared), skip_symbolic_shape=True)
    quantization.quantize_static(str(prepared), str(files["int8"]), Crops(), per_channel=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.enable_mem_pattern = False  # twice the memory, at the same speed
    options.add_session_config_entry(
        "session.intra_op.allow_spinning", "0"
    )  # it would take the next one's processor

    def opened(file: pathlib.Path):
        session = onnxruntime.InferenceSession(
            str(file), options, providers=["CPUExecutionProvider"]
        )
        return lambda image: session.run(None, {"image": image})[0]

    return {f"ONNX Runtime {kind}": opened(file) for kind, file in files.items()}


def openvino(
    network: keras.Model,
    crops: list[np.ndarray],
    directory: pathlib.Path,
    threads: int,
    size: tuple,
) -> Runs:
    """``size``: height and width of the frame."""
    import nncf
    import openvino as ov

    logging.disable(logging.WARNING)
    archive(network, {"enhance": _enhance(network)}, directory)
    models = {"float": ov.convert_model(directory)}
    models["int8"] = nncf.quantize(
        models["float"].clone(), nncf.Dataset([c[None].astype(np.float32) / 255 for c in crops])
    )
    properties = {
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    runs = {}
    for kind, model in models.items():
        model.reshape([1, *size, 3])
        compiled = ov.Core().compile_model(model, "CPU", properties)
        runs[f"OpenVINO {kind}"] = lambda image, compiled=compiled: compiled(image)[0]
    return runs


def _enhance(network: keras.Model) -> tf.types.experimental.PolymorphicFunction:
    """The head for pictures of any size, on crops and frames alike; the border is repeated by what every converter knows."""
    padding = next(i for i, layer in enumerate(network.layers) if layer.name == "head_padding")
    picture = keras.Model(network.inputs, network.layers[padding - 1].output)
    kernel, bias = network.layers[-2].get_weights()

    def enhance(image):
        x = picture(image, training=False)
        x = tf.concat([x[:, :1], x, x[:, -1:]], 1)
        x = tf.concat([x[:, :, :1], x, x[:, :, -1:]], 2)
        return {"enhanced": halve_shuffled(tf.nn.conv2d(x, kernel, 1, "VALID") + bias)}

    return tf.function(enhance, [tf.TensorSpec([1, None, None, 3], tf.float32, name="image")])
