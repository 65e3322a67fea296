"""The SavedModel for TensorFlow Serving: five signatures, pictures decoded and checked inside the graph.

    serving_default   image_bytes [batch], JPEG or PNG files of any sizes -> enhanced_bytes [batch], PNG files
    enhance, upscale              images uint8 [batch, H, W, 3] -> enhanced, upscaled, uint8
    enhance_float, upscale_float  images float32 [batch, H, W, 3] in [0, 1] -> float32, not clipped

A picture goes through the network in strips, exact at their seams, so memory depends neither on its size nor on the batch.
"""

import importlib.util
import pathlib

import keras
import numpy as np
import tensorflow as tf

from rts_tf import networks
from rts_tf.export import HEADS, MAX_PIXELS
from rts_tf.export.archive import archive
from rts_tf.export.heads import OUTPUT, SCALE, head_function
from rts_tf.inference import D_RADIUS

STRIP_PIXELS = 2**18  # 64 channels of them are 67 MB
COMPRESSION = 1  # of PNG; 1080p in .16 s and 3.3 MB, TensorFlow's own choice 1.77 s and 2.9 MB, longer than the network
WARMUP_SIDE = 64


def write_saved_model(network: keras.Model, directory: pathlib.Path) -> bool:
    """Write the SavedModel into ``directory``.

    Returns:
        Whether it holds warm-up requests: they need the package tensorflow-serving-api (the extra "serving").
    """
    endpoints = {"serving_default": _served(network)}
    for head in HEADS:
        endpoints |= {head: _uint8(network, head), f"{head}_float": _floating(network, head)}
    archive(network, endpoints, directory)
    return _write_warmup(directory / "assets.extra" / "tf_serving_warmup_requests")


def _served(network: keras.Model) -> tf.types.experimental.PolymorphicFunction:
    enhance = _in_strips(network, "enhance")

    def one(data: tf.Tensor) -> tf.Tensor:
        picture = tf.image.convert_image_dtype(_decode(data), tf.float32)[None]
        return tf.io.encode_png(_levels(enhance(picture))[0], compression=COMPRESSION)

    def serve(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        files = _shaped(image_bytes, [None], "image_bytes must have the shape [batch], not")
        return {
            "enhanced_bytes": tf.map_fn(
                one, files, parallel_iterations=1, fn_output_signature=tf.string
            )
        }

    return tf.function(serve, [tf.TensorSpec([None], tf.string, name="image_bytes")])


def _uint8(network: keras.Model, head: str) -> tf.types.experimental.PolymorphicFunction:
    function = _in_strips(network, head)
    return tf.function(
        lambda images: {
            OUTPUT[head]: _levels(
                function(tf.image.convert_image_dtype(_checked(images), tf.float32))
            )
        },
        [tf.TensorSpec([None, None, None, 3], tf.uint8, name="images")],
    )


def _floating(network: keras.Model, head: str) -> tf.types.experimental.PolymorphicFunction:
    function = _in_strips(network, head)
    return tf.function(
        lambda images: {OUTPUT[head]: function(_checked(images))},
        [tf.TensorSpec([None, None, None, 3], tf.float32, name="images")],
    )


def _levels(images: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.clip_by_value(tf.round(images * 255), 0, 255), tf.uint8)


def _in_strips(network: keras.Model, head: str):
    """A head on images [batch, H, W, 3], strip by strip, each with as many lines around it as the head reaches."""
    function, scale = head_function(network, head), SCALE[head]
    radius = networks.receptive_radius(network) + (D_RADIUS if head == "enhance" else 0)

    def run(images: tf.Tensor) -> tf.Tensor:
        batch, height, width = tf.unstack(tf.shape(images)[:3])
        rows = tf.clip_by_value(STRIP_PIXELS // width, 1, height)
        count = (height + rows - 1) // rows
        length = tf.minimum(height, rows + 2 * radius)

        def strip(i: tf.Tensor, strips: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            picture, start = i // count, i % count * rows
            first = tf.clip_by_value(start - radius, 0, height - length)
            result = function(images[picture : picture + 1, first : first + length])
            stop = tf.minimum(height, start + rows)
            return i + 1, strips.write(
                i, result[0, scale * (start - first) : scale * (stop - first)]
            )

        strips = tf.TensorArray(
            tf.float32, batch * count, infer_shape=False, element_shape=[None, None, 3]
        )
        _, strips = tf.while_loop(
            lambda i, _: i < batch * count, strip, (0, strips), parallel_iterations=1
        )
        return tf.reshape(strips.concat(), [batch, scale * height, scale * width, 3])

    return run


def _checked(images: tf.Tensor) -> tf.Tensor:
    """``images`` once it is known that they are pictures [batch, H, W, 3] of a size that is allowed."""
    images = _shaped(
        images, [None, None, None, 3], "images must have the shape [batch, height, width, 3], not"
    )
    shape = tf.shape(images)
    checks = [
        _check(tf.reduce_min(shape) > 0, "images must not be empty"),
        _check_size(shape[1], shape[2]),
    ]
    with tf.control_dependencies(checks):
        return tf.identity(images)


def _shaped(tensor: tf.Tensor, shape: list, message: str) -> tf.Tensor:
    """``tensor``, of which the running graph makes sure that it has the ``shape`` of the signature: a server does not.

    The placeholder makes TensorFlow forget that shape, or it would leave the check out. Not by EnsureShape, which tells the
    remapper the rank: what it then fuses for oneDNN goes wrong where two runs meet (TensorFlow 2.15 and 2.21).
    """
    name = tensor.op.name.rsplit("/", 1)[-1]
    tensor = tf.raw_ops.PlaceholderWithDefault(input=tensor, shape=tf.TensorShape(None), name=name)
    found = tf.shape(tensor)
    right = tf.equal(tf.size(found), len(shape))
    if shape[-1]:
        right &= tf.reduce_all(tf.equal(found[-1:], shape[-1]))
    with tf.control_dependencies([tf.debugging.Assert(right, [message, found], summarize=8)]):
        tensor = tf.identity(tensor)
    tensor.set_shape(shape)
    return tensor


def _check(condition: tf.Tensor, message: str) -> tf.Operation:
    """An operation that ends the request with InvalidArgument and ``message``."""
    return tf.debugging.Assert(condition, [message])


def _check_size(height: tf.Tensor, width: tf.Tensor) -> tf.Operation:
    pixels = tf.cast(height, tf.int64) * tf.cast(width, tf.int64)
    return _check(
        pixels <= MAX_PIXELS,
        f"a picture must not have more than {MAX_PIXELS} pixels; cut or reduce it first",
    )


def _decode(data: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 3] of a JPEG or PNG file whose header declares no more than MAX_PIXELS. EXIF rotation is not applied.

    Only of these two is the size known before everything is decoded.
    """
    png = tf.equal(
        tf.strings.substr(data, 0, tf.minimum(8, tf.strings.length(data))), b"\x89PNG\r\n\x1a\n"
    )
    jpeg = tf.equal(
        tf.strings.substr(data, 0, tf.minimum(3, tf.strings.length(data))), b"\xff\xd8\xff"
    )
    with tf.control_dependencies([_check(png | jpeg, "image_bytes must be JPEG or PNG files")]):
        return tf.cond(png, lambda: _decode_png(data), lambda: _decode_jpeg(data))


def _decode_png(data: tf.Tensor) -> tf.Tensor:
    whole = tf.strings.length(data) >= 24
    with tf.control_dependencies([_check(whole, "image_bytes: a PNG file ends within its header")]):
        header = tf.cast(
            tf.io.decode_raw(tf.strings.substr(data, 16, 8), tf.uint8), tf.int64
        )  # of IHDR, always the first
    header.set_shape([8])
    width, height = tf.unstack(
        tf.reduce_sum(
            tf.reshape(header, [2, 4]) * tf.constant([2**24, 2**16, 2**8, 1], tf.int64), 1
        )
    )
    with tf.control_dependencies([_check_size(height, width)]):
        return tf.io.decode_png(data, channels=3)


def _decode_jpeg(data: tf.Tensor) -> tf.Tensor:
    height, width, _ = tf.unstack(tf.io.extract_jpeg_shape(data))
    with tf.control_dependencies([_check_size(height, width)]):
        return tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE")


def _write_warmup(path: pathlib.Path) -> bool:
    """Requests that a server runs before it answers others, so that the first is not slow; one for each signature."""
    if importlib.util.find_spec("tensorflow_serving") is None:
        return False
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    picture = np.tile(np.arange(WARMUP_SIDE, dtype=np.uint8)[None, :, None], (WARMUP_SIDE, 1, 3))
    requests = {"serving_default": ("image_bytes", [tf.io.encode_png(picture).numpy()])}
    for head in HEADS:
        requests[head] = ("images", picture[None])
        requests[f"{head}_float"] = ("images", picture[None].astype(np.float32) / 255)
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, (name, value) in requests.items():
            request = predict_pb2.PredictRequest()
            request.model_spec.name, request.model_spec.signature_name = "rts", signature
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictLog(request=request)
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())
    return True
