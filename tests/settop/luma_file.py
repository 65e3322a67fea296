"""A small network for luma as a TFLite file of 8-bit integers, as the export makes them."""

import functools
import tempfile

import flatbuffers
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

PACK, RADIUS = 2, 4  # pixels; two convolutions see as many blocks to each side
_RANDOM = np.random.default_rng(5)
# Of multiples of 1/64 sums are exact, and so are the ranges of the integers.
_KERNELS = [
    _RANDOM.integers(low, 12, shape).astype(np.float32) / 64
    for low, shape in ((-9, (3, 3, 4, 6)), (-11, (3, 3, 6, 4)))
]


def _function(height: int, width: int):
    """The network for planes of one size, whose borders it repeats."""
    rows, columns = (
        np.clip(np.arange(-RADIUS, size + size % PACK + RADIUS), 0, size - 1)
        for size in (height, width)
    )

    def enhance(image: tf.Tensor) -> dict[str, tf.Tensor]:
        x = tf.gather(tf.gather(image, rows, axis=1), columns, axis=2)
        x = tf.nn.space_to_depth(x, PACK)
        packed = x[:, 2:-2, 2:-2]
        x = tf.nn.relu(tf.nn.conv2d(x, tf.constant(_KERNELS[0]), 1, "VALID"))
        x = packed + tf.nn.conv2d(x, tf.constant(_KERNELS[1]), 1, "VALID")
        x = tf.nn.depth_to_space(tf.clip_by_value(x, 0, 1), PACK)
        return {"enhanced": x[:, :height, :width]}

    return tf.function(enhance, [tf.TensorSpec([1, height, width, 1], tf.float32, name="image")])


def _noted(data: bytes, notes: dict[str, int]) -> bytes:
    """Add whole numbers to the metadata of a file."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    model.metadata = list(model.metadata or [])
    for name, value in notes.items():
        model.metadata.append(schema.MetadataT(name=name, buffer=len(model.buffers)))
        digits = np.frombuffer(str(value).encode(), np.uint8)
        model.buffers.append(schema.BufferT(data=digits))
    builder = flatbuffers.Builder(len(data))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@functools.cache
def luma_file(height: int, width: int, noted: bool = True) -> bytes:
    """The file for planes of one size. Files of all sizes have the same steps of integers."""
    module = tf.Module()
    module.enhance = _function(height, width)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={"enhance": module.enhance})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["enhance"])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
        # Of constant planes the ranges do not depend on the size.
        converter.representative_dataset = lambda: (
            ("enhance", {"image": np.full((1, height, width, 1), level, np.float32)})
            for level in (0, 0.5, 1)
        )
        data = converter.convert()
    return _noted(data, {"receptive_radius": RADIUS, "pack": PACK}) if noted else data
